// Package protocol says what the Model Context Protocol says: methods, eras,
// which members of which objects the protocol names, what a message is aimed
// at. It holds no state and decodes nothing but raw JSON members.
package protocol
