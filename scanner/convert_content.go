package scanner

import (
	"fmt"
	"slices"

	"github.com/mcp-relay/relay/scanner/handshake"

	scannerv1 "github.com/mcp-relay/relay/proto/mcprelay/scanner/v1"
)

// contentFrom converts what the relay sent and refuses what info does not cover,
// so that a scanner never has to.
func contentFrom(p *scannerv1.Content, info Info) (Content, error) {
	c := Content{
		Phase:            phaseFrom(p.GetPhase()),
		Kind:             kindFrom(p.GetKind()),
		MIME:             p.GetMime(),
		Data:             p.GetData(),
		Origin:           originFrom(p.GetOrigin()),
		Request:          p.GetRequest(),
		RequestTruncated: p.GetRequestTruncated(),
	}
	for _, o := range p.GetInventory() {
		c.Inventory = append(c.Inventory, Offered{Server: o.GetServer(), Name: o.GetName()})
	}
	switch {
	case p == nil:
		return Content{}, unsupported("there is no content to judge")
	case c.Phase == PhaseUnspecified:
		return Content{}, unsupported(fmt.Sprintf("phase %d is unknown", p.GetPhase()))
	case c.Kind == KindUnspecified:
		return Content{}, unsupported(fmt.Sprintf("kind %d is unknown", p.GetKind()))
	case len(info.Phases) > 0 && !slices.Contains(info.Phases, c.Phase):
		return Content{}, unsupported("phase " + c.Phase.String() + " is not judged by this scanner")
	case len(info.Kinds) > 0 && !slices.Contains(info.Kinds, c.Kind):
		return Content{}, unsupported("kind " + c.Kind.String() + " is not judged by this scanner")
	case len(c.Data) > handshake.MaxContent || len(c.Request) > handshake.MaxRequest || len(c.Inventory) > handshake.MaxInventory:
		return Content{}, &Error{Reason: ReasonTooLarge, Message: "the content is above the limit of the contract"}
	default:
		return c, nil
	}
}

func originFrom(p *scannerv1.Origin) Origin {
	return Origin{
		Session:         p.GetSession(),
		Principal:       p.GetPrincipal(),
		Client:          p.GetClient(),
		Server:          p.GetServer(),
		Method:          p.GetMethod(),
		Target:          p.GetTarget(),
		ProtocolVersion: p.GetProtocolVersion(),
		Call:            p.GetCall(),
	}
}

func phaseFrom(p scannerv1.Phase) Phase {
	switch p {
	case scannerv1.Phase_PHASE_DEFINITION:
		return PhaseDefinition
	case scannerv1.Phase_PHASE_REQUEST:
		return PhaseRequest
	case scannerv1.Phase_PHASE_RESPONSE:
		return PhaseResponse
	case scannerv1.Phase_PHASE_SERVER_REQUEST:
		return PhaseServerRequest
	case scannerv1.Phase_PHASE_NOTIFICATION:
		return PhaseNotification
	default:
		return PhaseUnspecified
	}
}

func kindFrom(k scannerv1.Kind) Kind {
	switch k {
	case scannerv1.Kind_KIND_JSON:
		return KindJSON
	case scannerv1.Kind_KIND_TEXT:
		return KindText
	case scannerv1.Kind_KIND_BLOB:
		return KindBlob
	default:
		return KindUnspecified
	}
}

func unsupported(message string) *Error {
	return &Error{Reason: ReasonUnsupported, Message: message, ContentCaused: true}
}
