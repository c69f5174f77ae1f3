package handshake

// The magic cookie tells a scanner that the relay started it. It is not a
// secret and protects nothing; it only makes a start by hand explain itself.
const (
	CookieKey   = "MCP_RELAY_SCANNER"
	CookieValue = "4f6b1c5e-5a0f-4c1b-9f6a-2d7e3b8c9a10"
)

// ProtocolVersion is the number in the handshake line. It is the major version
// of the proto package: 1 is mcprelay.scanner.v1.
const ProtocolVersion = 1

// PluginKey names the scanner in go-plugin's plugin set.
const PluginKey = "scanner"

// Names of gRPC services.
const (
	// Service is the scanner's service, and the name under which its health
	// tells whether it is ready to scan.
	Service = "mcprelay.scanner.v1.ScannerService"
	// PluginHealth is the name under which go-plugin asks for the health of the
	// process. It is always serving.
	PluginHealth = "plugin"
)

// Limits in bytes. A message that breaks one is refused.
const (
	// MaxMessage bounds one gRPC message in either direction.
	MaxMessage = 24 << 20
	// MaxContent bounds the data of one content.
	MaxContent = 8 << 20
	// MaxRequest bounds the request that accompanies a response. The relay cuts
	// it there.
	MaxRequest = 1 << 20
	// MaxInventory bounds the tools of other servers that accompany a definition,
	// MaxInventoryBytes their names and those of the servers together.
	MaxInventory      = 500
	MaxInventoryBytes = 32 << 10
	// MaxConfig bounds a configuration, and a configuration's schema.
	MaxConfig = 1 << 20
	// MaxOriginString bounds each string of an origin. The relay cuts it there.
	MaxOriginString = 1 << 10
	// MaxScanID bounds the id of one scan.
	MaxScanID = 64
	// MaxName bounds a scanner's name, its version and that of its SDK.
	MaxName = 64
	// MaxRule bounds the id of a rule.
	MaxRule = 128
	// MaxCategory bounds a finding's category.
	MaxCategory = 64
	// MaxText bounds a text for people: of a finding, a problem or an error.
	MaxText = 1 << 10
	// MaxPointer bounds a JSON Pointer.
	MaxPointer = 4 << 10
	// MaxReplacement bounds the text of an edit.
	MaxReplacement = 64 << 10
	// MaxReason bounds the reason why a part was not inspected, and a verdict's
	// reference.
	MaxReason = 256
)

// Limits in entries.
const (
	// MaxFindings bounds the findings of a verdict, and the parts it did not
	// inspect.
	MaxFindings = 1000
	// MaxProblems bounds the problems of one configuration.
	MaxProblems = 100
	// MaxBatch bounds the items of one batch.
	MaxBatch = 256
)
