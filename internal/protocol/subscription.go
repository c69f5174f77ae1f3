package protocol

import (
	"errors"

	"github.com/mcp-relay/relay/internal/jsonrpc"
)

// MaxSubscriptions is how many resources and tasks one subscription may name.
const MaxSubscriptions = 1024

// Filter says which notifications a client wants on a stream of its own (MCP
// 2026-07-28, subscriptions). Tasks is of the tasks extension.
type Filter struct {
	Tools, Prompts, Resources bool     // list_changed
	URIs                      []string // resources whose updates are wanted
	Tasks                     []string // ids of tasks whose changes are wanted
}

var errFilter = errors.New("params.notifications needs to be an object of booleans and lists of strings")

// FilterOf reads the filter of subscriptions/listen, or of its acknowledgement.
// The error says that params.notifications is missing, of a wrong type or too
// long, and quotes nothing of it.
func FilterOf(params []byte) (Filter, error) {
	if !isObject(params) {
		return Filter{}, errFilter
	}
	raw, found := jsonrpc.Member(params, "notifications")
	if !found || !isObject(raw) {
		return Filter{}, errFilter
	}
	var f Filter
	ok := true
	for name, value := range jsonrpc.Members(raw) {
		switch name {
		case "toolsListChanged":
			f.Tools, ok = boolean(value)
		case "promptsListChanged":
			f.Prompts, ok = boolean(value)
		case "resourcesListChanged":
			f.Resources, ok = boolean(value)
		case "resourceSubscriptions":
			f.URIs, ok = stringList(value)
		case "taskIds":
			f.Tasks, ok = stringList(value)
		}
		if !ok || len(f.URIs)+len(f.Tasks) > MaxSubscriptions {
			return Filter{}, errFilter
		}
	}
	return f, nil
}

// Append appends the filter as the object that stands in params.notifications,
// with what is wanted and nothing else.
func (f Filter) Append(dst []byte) []byte {
	object := []byte("{}")
	for _, c := range []struct {
		name   string
		wanted bool
	}{{"toolsListChanged", f.Tools}, {"promptsListChanged", f.Prompts}, {"resourcesListChanged", f.Resources}} {
		if c.wanted {
			object = jsonrpc.SetMember(object, c.name, []byte("true"))
		}
	}
	for _, c := range []struct {
		name string
		list []string
	}{{"resourceSubscriptions", f.URIs}, {"taskIds", f.Tasks}} {
		if len(c.list) == 0 {
			continue
		}
		array := []byte{'['}
		for i, s := range c.list {
			if i > 0 {
				array = append(array, ',')
			}
			array = jsonrpc.AppendString(array, s)
		}
		object = jsonrpc.SetMember(object, c.name, append(array, ']'))
	}
	return append(dst, object...)
}

// IsEmpty reports whether the filter wants nothing.
func (f Filter) IsEmpty() bool {
	return !f.Tools && !f.Prompts && !f.Resources && len(f.URIs) == 0 && len(f.Tasks) == 0
}

// SubscriptionID returns the subscription that a notification, or the result of
// subscriptions/listen, belongs to.
func SubscriptionID(params []byte) (jsonrpc.ID, bool) {
	meta, ok := metaOf(params)
	if !ok {
		return jsonrpc.ID{}, false
	}
	raw, found := jsonrpc.Member(meta, MetaSubscription)
	if !found {
		return jsonrpc.ID{}, false
	}
	return jsonrpc.ParseID(raw)
}

// SetSubscriptionID returns params that belong to the subscription id; for the
// zero id, to none. Other bytes are unchanged; params may be nil.
func SetSubscriptionID(params []byte, id jsonrpc.ID) []byte {
	if id.IsZero() {
		return stripMeta(params, MetaSubscription)
	}
	meta, _ := metaOf(params)
	return jsonrpc.SetMember(params, "_meta", jsonrpc.SetMember(meta, MetaSubscription, []byte(id.Raw())))
}

func boolean(raw []byte) (value, ok bool) {
	value = string(raw) == "true"
	return value, value || string(raw) == "false"
}

func stringList(raw []byte) ([]string, bool) {
	if len(raw) == 0 || raw[0] != '[' {
		return nil, false
	}
	var list []string
	for elem := range jsonrpc.Elements(raw) {
		s, ok := jsonrpc.Unquote(elem)
		if !ok {
			return nil, false
		}
		list = append(list, s)
	}
	return list, true
}
