// Package bridge joins the two eras and keeps clients apart while it does. It
// holds what a client carries for the relay and must not read, change or pass to
// others ([Sealer]), the calls that wait for a client's answers ([Lot]), and the
// mark that says which server asks a user something ([Provenance]).
package bridge
