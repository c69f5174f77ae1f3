package doctor

import "fmt"

// NoTokens says that no client needs a token.
func NoTokens() Check {
	return Check{Area: Keys, Subject: "tokens", Status: OK, What: "no client connects over HTTP"}
}

// Tokens says how many HTTP clients have a token, or why that is not known.
func Tokens(n int, err error) Check {
	c := Check{Area: Keys, Subject: "tokens", Status: OK}
	switch {
	case err != nil:
		c.Status, c.What, c.Do = Fail, err.Error(), "correct or remove the file of tokens"
	case n == 0:
		c.Status, c.What, c.Do = Warn, "no client has a token yet", "run relay token add NAME; the first start makes one also"
	default:
		c.What = fmt.Sprintf("%d clients have a token", n)
	}
	return c
}
