package config

// Requests are what a server may ask of a client.
type Requests struct {
	Sampling       bool // sampling/createMessage
	Elicitation    bool // elicitation/create with a form
	ElicitationURL bool // elicitation/create with a URL
	Roots          bool // roots/list
	Context        bool // sampling with the context of servers (includeContext)
}

func requestFields() []field[Requests] {
	return []field[Requests]{
		{
			name: "sampling", def: "true", value: boolean(func(q *Requests) *bool { return &q.Sampling }),
			doc: "It may have the client's model write text (sampling).",
		},
		{
			name: "elicitation", def: "true", value: boolean(func(q *Requests) *bool { return &q.Elicitation }),
			doc: "It may ask the user to fill in a form.",
		},
		{
			name: "elicitation_url", def: "true", value: boolean(func(q *Requests) *bool { return &q.ElicitationURL }),
			doc: "It may ask the user to open an address.",
		},
		{
			name: "roots", def: "true", value: boolean(func(q *Requests) *bool { return &q.Roots }),
			doc: "It may ask which directories the client works in.",
		},
		{
			name: "context", def: "false", value: boolean(func(q *Requests) *bool { return &q.Context }),
			doc: "Its sampling may include the context of servers, which behind a relay is that of all of them.",
		},
	}
}

// ownRequestFields are the same keys for one server, which has the relay's
// values where it says nothing.
func ownRequestFields() []field[Requests] {
	fields := requestFields()
	for i := range fields {
		fields[i].def, fields[i].omitted = "", "relay.server_requests."+fields[i].name
	}
	return fields
}
