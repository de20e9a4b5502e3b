package staff

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
	"unicode/utf8"

	"nhip"
	"nhip/api/rest"
	"nhip/internal/rpc"
)

// Limits of answers with dead letters and of replays.
const (
	defaultLetters = 100
	maxLetters     = 1000
)

// letterPage is the answer of GET /v1/dead.
type letterPage struct {
	Letters []nhip.DeadLetter `json:"letters"`
	Next    string            `json:"next,omitempty"`
	Silent  []string          `json:"silent,omitempty"` // collectors that did not answer
}

// listDeadLetters answers GET /v1/dead with the dead letters by collector, the newest of each collector first.
func (h *Handler) listDeadLetters(w http.ResponseWriter, r *http.Request) error {
	q := rest.ReadQuery(r, "collector", "device", "code", "from", "to", "limit", "after")
	ask := nhip.DeadLetterQuery{
		Device: q.Text("device"), Code: nhip.Code(q.Text("code")),
		From: q.Time("from", time.Time{}), To: q.Time("to", time.Time{}),
		Limit: q.Integer("limit", defaultLetters, 1, maxLetters),
	}
	name, after := q.Text("collector"), readLetterCursor(q)
	if q.Err != nil {
		return q.Err
	}
	collectors, err := h.Collectors.named(name)
	if err != nil {
		return err
	}
	answer, err := h.readLetters(r.Context(), collectors, ask, after)
	if err != nil {
		return err
	}
	return h.JSON(w, rest.NoStore, answer)
}

// letterCursor is the start of a page: a collector and its own cursor.
type letterCursor struct {
	Collector string `json:"c"`
	After     string `json:"a,omitempty"`
}

// String implements fmt.Stringer. It is the inverse of readLetterCursor.
func (p letterCursor) String() string {
	raw, _ := json.Marshal(p) // can't fail for strings
	return string(raw)
}

// readLetterCursor reads the parameter after; the zero cursor is the start of the first page.
func readLetterCursor(q *rest.Query) (at letterCursor) {
	s := q.Text("after")
	if s != "" && json.Unmarshal([]byte(s), &at) != nil {
		q.Fail("after", "must be next of the previous page")
	}
	return at
}

// readLetters reads a page, one collector after the other, from a cursor on. Of several collectors, those that do not
// answer are listed as silent.
func (h *Handler) readLetters(ctx context.Context, collectors []string, q nhip.DeadLetterQuery,
	at letterCursor,
) (*letterPage, error) {
	answer := &letterPage{Letters: []nhip.DeadLetter{}}
	limit := q.Limit
	for _, c := range collectors {
		if c < at.Collector {
			continue
		}
		if q.After = ""; c == at.Collector {
			q.After = at.After
		}
		for {
			if q.Limit = limit - len(answer.Letters); q.Limit == 0 {
				answer.Next = letterCursor{c, q.After}.String()
				return answer, nil
			}
			var page nhip.DeadLetterPage
			err := h.Collectors.call(ctx, c, rpc.MethodDeadLetterList, q, &page)
			if nhip.ErrorCode(err) == nhip.CodeUnavailable && len(collectors) > 1 {
				answer.Silent = append(answer.Silent, c)
				break
			}
			if err != nil {
				return nil, err
			}
			answer.Letters = append(answer.Letters, page.Letters...)
			if q.After = page.Next; q.After == "" {
				break
			}
		}
	}
	return answer, nil
}

// getDeadLetter answers GET /v1/dead/{collector}/{id} with a dead letter and its whole payload.
func (h *Handler) getDeadLetter(w http.ResponseWriter, r *http.Request) error {
	collector, err := rest.PathID(r, "collector")
	id, badID := rest.PathID(r, "id")
	if err = cmp.Or(err, badID, rest.ReadQuery(r).Err); err == nil {
		_, err = h.Collectors.named(collector)
	}
	var letter *nhip.DeadLetter
	if err == nil {
		letter, err = h.readLetter(r.Context(), collector, id)
	}
	if err != nil {
		return err
	}
	return h.JSON(w, rest.NoStore, letter)
}

// readLetter reads a dead letter in as many calls as its payload needs.
func (h *Handler) readLetter(ctx context.Context, collector, id string) (*nhip.DeadLetter, error) {
	var letter nhip.DeadLetter
	var payload []byte
	for {
		var chunk nhip.DeadLetter
		params := nhip.DeadLetterChunk{ID: id, Offset: len(payload)}
		if err := h.Collectors.call(ctx, collector, rpc.MethodDeadLetterShow, params, &chunk); err != nil {
			return nil, err
		}
		payload = append(payload, chunk.PayloadB...)
		if letter = chunk; len(chunk.PayloadB) == 0 || len(payload) >= chunk.Size {
			break
		}
	}
	letter.Payload, letter.PayloadB = "", nil
	if utf8.Valid(payload) {
		letter.Payload = string(payload)
	} else {
		letter.PayloadB = payload
	}
	return &letter, nil
}

// replayRequest is the body of POST /v1/dead/replay.
type replayRequest struct {
	Collector string   `json:"collector"`
	IDs       []string `json:"ids"`
}

// replayDeadLetters answers POST /v1/dead/replay with the outcome of each letter.
func (h *Handler) replayDeadLetters(w http.ResponseWriter, r *http.Request) error {
	q, err := readReplay(w, r)
	if err == nil {
		_, err = h.Collectors.named(q.Collector)
	}
	if err != nil {
		return err
	}
	var page nhip.ReplayResults
	if err := h.Collectors.call(r.Context(), q.Collector, rpc.MethodDeadLetterReplay, nhip.ReplayQuery{IDs: q.IDs},
		&page); err != nil {
		return err
	}
	for i := range page.Results {
		page.Results[i].Collector = q.Collector
	}
	return h.JSON(w, rest.NoStore, page)
}

// readReplay reads and checks the body of a replay.
func readReplay(w http.ResponseWriter, r *http.Request) (*replayRequest, error) {
	q := new(replayRequest)
	if err := rest.DecodeBody(w, r, q); err != nil {
		return nil, err
	}
	switch {
	case q.Collector == "":
		return nil, nhip.Errorf(nhip.CodeMissing, "collector", "is required")
	case len(q.IDs) == 0 || len(q.IDs) > nhip.MaxReplay:
		return nil, nhip.Errorf(nhip.CodeOutOfRange, "ids", "must be between 1 and %d, got %d", nhip.MaxReplay, len(q.IDs))
	}
	for i, id := range q.IDs {
		if id == "" {
			return nil, nhip.Errorf(nhip.CodeInvalid, fmt.Sprintf("ids[%d]", i), "must not be empty")
		}
	}
	return q, nil
}
