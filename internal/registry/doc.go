// Package registry keeps what the relay offers: the tools, prompts, resources
// and resource templates of all servers, the names under which clients see
// them, and the state of each.
//
// A snapshot belongs to one instance of a server and replaces the one before
// as a whole. Routing is by table: no name is ever taken apart. A name that
// was once offered never points to another server or tool while the registry
// lives. A URI keeps its form and belongs to the first configured server that
// lists it or has a template for it. Lists come in pages, rendered once for
// each era until something changes. All methods are safe for concurrent use.
package registry
