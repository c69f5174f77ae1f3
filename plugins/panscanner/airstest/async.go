package airstest

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

const (
	maxIDs   = 5      // ids that one look-up takes
	maxScans = 10_000 // scans that are kept for look-ups
)

// storedScan is a scan whose result and report can be asked for.
type storedScan struct {
	ready time.Time
	rows  []storedRow
}

type storedRow struct {
	reqID uint32
	resp  *scanResponse
	tool  *toolEvent
}

func (s *Server) store(resp *scanResponse, req *scanRequest, reqID uint32, ready time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	scan, ok := s.scans[resp.ScanID]
	if !ok {
		scan = &storedScan{ready: ready}
		s.scans[resp.ScanID] = scan
		s.order = append(s.order, resp.ScanID)
		if len(s.order) > maxScans {
			delete(s.scans, s.order[0])
			s.order = s.order[1:]
		}
	}
	scan.rows = append(scan.rows, storedRow{reqID: reqID, resp: resp, tool: req.Contents[len(req.Contents)-1].ToolEvent})
}

// serveAsync takes a batch. Every row shares one scan id; the results follow.
func (s *Server) serveAsync(x *exchange) *apiError {
	var batch []asyncObject
	if err := json.Unmarshal(x.body, &batch); err != nil || len(batch) == 0 || len(batch) > s.config.MaxBatch {
		return badRequest(msgMalformed)
	}
	requests := 1
	if s.config.Rate.CountRows {
		requests = len(batch)
	}
	if !s.limiter.scan(requests, len(x.body)) {
		return &apiError{status: http.StatusTooManyRequests}
	}
	created, scanID := time.Now(), s.dice.uuid()
	for _, row := range batch {
		req, profile, err := s.parseScan(row.ScanReq, x.key)
		if err != nil {
			return err
		}
		s.store(s.judge(req, profile, scanID, created), req, row.ReqID, created.Add(time.Duration(s.config.AsyncDelay)))
	}
	writeJSON(x.w, http.StatusOK, asyncAccepted{
		Received: created.UTC().Format(time.RFC3339Nano), ScanID: scanID, ReportID: "R" + scanID, Source: source,
	})
	return nil
}

// serveResults answers with the rows of the scans asked for, in any order.
func (s *Server) serveResults(x *exchange) *apiError {
	found, err := s.lookup(x, "scan_ids", "")
	if err != nil {
		return err
	}
	out := []scanResult{}
	for _, scan := range found {
		done := !time.Now().Before(scan.ready)
		for _, row := range scan.rows {
			result := scanResult{Source: source, ReqID: row.reqID, Status: "pending", ScanID: row.resp.ScanID}
			if done {
				result.Status, result.Result = "complete", row.resp
			}
			out = append(out, result)
		}
	}
	s.dice.shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	writeJSON(x.w, http.StatusOK, out)
	return nil
}

// serveReports answers with the per-detector reports of finished scans.
func (s *Server) serveReports(x *exchange) *apiError {
	found, err := s.lookup(x, "report_ids", "R")
	if err != nil {
		return err
	}
	out := []report{}
	for _, scan := range found {
		if time.Now().Before(scan.ready) {
			continue
		}
		for _, row := range scan.rows {
			out = append(out, reportOf(row))
		}
	}
	writeJSON(x.w, http.StatusOK, out)
	return nil
}

// lookup reads one comma-separated list of at most five ids and returns the
// scans that exist.
func (s *Server) lookup(x *exchange, parameter, prefix string) ([]*storedScan, *apiError) {
	if !s.limiter.query() {
		return nil, &apiError{status: http.StatusTooManyRequests}
	}
	ids := strings.Split(x.r.URL.Query().Get(parameter), ",")
	if len(ids) > maxIDs {
		return nil, badRequest(msgMalformed)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []*storedScan
	for _, id := range ids {
		scanID, ok := strings.CutPrefix(id, prefix)
		if !ok || len(scanID) != len(uuidFrom("")) {
			return nil, badRequest(msgMalformed)
		}
		if scan, ok := s.scans[scanID]; ok {
			out = append(out, scan)
		}
	}
	return out, nil
}
