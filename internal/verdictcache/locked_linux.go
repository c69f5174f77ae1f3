package verdictcache

import ss "github.com/zalando/go-keyring/secret_service"

// locked reports whether the keychain would have a person type a password.
func locked() bool {
	s, err := ss.NewSecretService()
	if err != nil {
		return true
	}
	// What the library opens first, and what it falls back to.
	collection := s.GetLoginCollection()
	is, err := collection.GetProperty("org.freedesktop.Secret.Collection.Locked")
	if err != nil {
		return true
	}
	answer, ok := is.Value().(bool)
	return !ok || answer
}
