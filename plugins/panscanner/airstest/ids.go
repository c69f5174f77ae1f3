package airstest

import (
	"crypto/sha256"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"time"
)

const source = "AI-Runtime-API"

// dice is the seeded source of everything random; safe for concurrent use.
type dice struct {
	mu  sync.Mutex
	rng *rand.Rand
}

func newDice(seed uint64) *dice {
	return &dice{rng: rand.New(rand.NewPCG(seed, seed^0x9e3779b97f4a7c15))} //nolint:gosec // repeatable on purpose
}

func (d *dice) uuid() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var b [16]byte
	for i := range b {
		b[i] = byte(d.rng.Uint32() & 0xff)
	}
	return formatUUID(b)
}

// delay draws from the log-normal distribution that l describes.
func (d *dice) delay(l Latency) time.Duration {
	if l.Median <= 0 {
		return 0
	}
	sigma := 0.0
	if l.P95 > l.Median {
		const z95 = 1.6449 // the 95th percentile of the standard normal distribution
		sigma = math.Log(float64(l.P95)/float64(l.Median)) / z95
	}
	d.mu.Lock()
	z := d.rng.NormFloat64()
	d.mu.Unlock()
	return time.Duration(float64(l.Median) * math.Exp(sigma*z))
}

func (d *dice) bytes(n int) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := make([]byte, n)
	for i := range out {
		out[i] = byte(d.rng.Uint32() & 0xff)
	}
	return out
}

// hit reports true for a share of calls.
func (d *dice) hit(share float64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rng.Float64() < share
}

func (d *dice) shuffle(n int, swap func(i, j int)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rng.Shuffle(n, swap)
}

// uuidFrom returns a UUID that depends on name only.
func uuidFrom(name string) string {
	sum := sha256.Sum256([]byte(name))
	return formatUUID([16]byte(sum[:16]))
}

func formatUUID(b [16]byte) string {
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
