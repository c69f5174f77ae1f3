//go:build !unix

package selfedit

// absent reports whether there certainly is nothing of that name. Here it cannot
// be told in a quick way.
func absent(string) bool { return false }
