package conformance

import (
	"github.com/mcp-relay/relay/scanner"

	scannerv1 "github.com/mcp-relay/relay/proto/mcprelay/scanner/v1"
)

func batches(p *probe) {
	l := p.ready()
	if l == nil {
		return
	}
	contents := []scanner.Content{p.suite.plain(), p.suite.plain()}
	for _, s := range p.suite.small() {
		contents = append(contents, s.content())
	}
	contents = append(contents, p.suite.opts.Contents...)
	contents = contents[:min(len(contents), 64)]
	if !p.suite.about.GetBatch() {
		if _, err := l.ScanBatch(p.ctx, contents); err == nil {
			p.fault("it judges a batch, but does not say that it can")
		}
		p.skip("the scanner judges no batches")
		return
	}
	results, err := l.ScanBatch(p.ctx, contents)
	if err != nil {
		p.fault("%v", err)
		return
	}
	for i, r := range results {
		single, err := l.Scan(p.ctx, contents[i])
		switch {
		case (r.Err == nil) != (err == nil):
			p.fault("item %d: the error is %v, and %v when it is scanned alone", i+1, r.Err, err)
		case r.Err == nil && p.suite.about.GetDeterministic() && r.Verdict.Action != single.Action:
			p.fault("item %d: the action is %v, and %v when it is scanned alone", i+1, r.Verdict.Action, single.Action)
		}
	}
	p.failAlone(l)
}

// failAlone has a batch judged of which one item cannot be.
func (p *probe) failAlone(l *link) {
	request := &scannerv1.ScanBatchRequest{}
	for _, id := range []string{"a", "b", "c"} {
		request.Items = append(request.Items, &scannerv1.ScanItem{ScanId: id, Content: contentTo(p.suite.plain())})
	}
	request.Items[1].Content.Phase = 99
	r, err := l.scans.ScanBatch(p.ctx, request)
	if err != nil || len(r.GetResults()) != 3 {
		p.fault("one item of an unknown phase fails the whole batch: %v", err)
		return
	}
	for i, result := range r.GetResults() {
		if failed := result.GetVerdict() == nil; failed != (i == 1) {
			p.fault("a batch with one item of an unknown phase: item %d got %v", i+1, result.GetOutcome())
		}
	}
}
