package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
	"unicode/utf8"

	"nhip"
	"nhip/internal/ask"
	"nhip/internal/problem"
)

// Bounds of an answer about dead letters, and of a question to replay some.
const (
	defaultLetters = 100
	maxLetters     = 1000
	maxReplayBody  = 64 << 10
)

// letterAnswer is the answer of GET /v1/dead.
type letterAnswer struct {
	Letters []nhip.DeadLetter `json:"letters"`
	Next    string            `json:"next,omitempty"`
	Silent  []string          `json:"silent,omitempty"` // collectors that did not answer
}

// listDead answers GET /v1/dead: of one collector after the other, the newest letters first.
func (a *API) listDead(w http.ResponseWriter, r *http.Request) {
	q := readQuery(r, "collector", "device", "code", "from", "to", "limit", "after")
	ask := nhip.LetterQuery{
		Device: q.text("device"), Code: nhip.Code(q.text("code")),
		From: q.time("from", time.Time{}), To: q.time("to", time.Time{}), Limit: q.integer("limit", defaultLetters, 1, maxLetters),
	}
	name, after := q.text("collector"), readLetterPlace(q)
	if q.err != nil {
		a.problem(w, r, q.err)
		return
	}
	collectors, err := a.asked(name)
	if err != nil {
		a.problem(w, r, err)
		return
	}
	answer, err := a.readLetters(r.Context(), collectors, ask, after)
	if err != nil {
		a.problem(w, r, err)
		return
	}
	problem.WriteJSON(w, http.StatusOK, formJSON, answer)
}

// letterPlace is where a list of letters goes on: in whose, and where there.
type letterPlace struct {
	Collector string `json:"c"`
	After     string `json:"a,omitempty"`
}

func (p letterPlace) String() string {
	raw, _ := json.Marshal(p) // of texts: can't fail
	return string(raw)
}

func readLetterPlace(q *query) (at letterPlace) {
	s := q.text("after")
	if s != "" && json.Unmarshal([]byte(s), &at) != nil {
		q.fail("after", "must be what the page before says is next")
	}
	return at
}

// readLetters fills an answer from one collector after the other, behind a place.
func (a *API) readLetters(ctx context.Context, collectors []string, q nhip.LetterQuery, at letterPlace) (*letterAnswer, error) {
	answer := &letterAnswer{Letters: []nhip.DeadLetter{}}
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
				answer.Next = letterPlace{c, q.After}.String()
				return answer, nil
			}
			var page nhip.LetterPage
			err := a.asker.Ask(ctx, c, ask.List, q, &page)
			if nhip.ErrorCode(err) == nhip.Unavailable && len(collectors) > 1 {
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

// showDead answers GET /v1/dead/{collector}/{id}: a letter with its whole payload, which comes in parts.
func (a *API) showDead(w http.ResponseWriter, r *http.Request) {
	collector, err := pathID(r, "collector")
	id, badID := pathID(r, "id")
	if err = cmp.Or(err, badID, readQuery(r).err); err == nil {
		_, err = a.asked(collector)
	}
	var letter *nhip.DeadLetter
	if err == nil {
		letter, err = a.readLetter(r.Context(), collector, id)
	}
	if err != nil {
		a.problem(w, r, err)
		return
	}
	problem.WriteJSON(w, http.StatusOK, formJSON, letter)
}

func (a *API) readLetter(ctx context.Context, collector, id string) (*nhip.DeadLetter, error) {
	var letter nhip.DeadLetter
	var payload []byte
	for {
		var part nhip.DeadLetter
		if err := a.asker.Ask(ctx, collector, ask.Show, nhip.LetterPart{ID: id, Offset: len(payload)}, &part); err != nil {
			return nil, err
		}
		payload = append(payload, part.PayloadB...)
		if letter = part; len(part.PayloadB) == 0 || len(payload) >= part.Size {
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

// replayQuestion is the body of POST /v1/dead/replay.
type replayQuestion struct {
	Collector string   `json:"collector"`
	IDs       []string `json:"ids"`
}

// replayDead answers POST /v1/dead/replay.
func (a *API) replayDead(w http.ResponseWriter, r *http.Request) {
	q, err := readReplay(w, r)
	if err == nil {
		_, err = a.asked(q.Collector)
	}
	if err != nil {
		a.problem(w, r, err)
		return
	}
	var page nhip.ReplayPage
	if err := a.asker.Ask(r.Context(), q.Collector, ask.Replay, nhip.ReplayQuery{IDs: q.IDs}, &page); err != nil {
		a.problem(w, r, err)
		return
	}
	for i := range page.Replayed {
		page.Replayed[i].Collector = q.Collector
	}
	problem.WriteJSON(w, http.StatusOK, formJSON, page)
}

func readReplay(w http.ResponseWriter, r *http.Request) (*replayQuestion, error) {
	q := new(replayQuestion)
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxReplayBody))
	d.DisallowUnknownFields()
	err := d.Decode(q)
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		return nil, nhip.Errorf(nhip.Invalid, "", "the body may have %d bytes at the most", maxReplayBody)
	case err != nil:
		return nil, nhip.Errorf(nhip.Invalid, "", "the body must be {\"collector\":…,\"ids\":[…]}: %v", err)
	case d.More():
		return nil, nhip.Errorf(nhip.Invalid, "", "the body must be one object")
	case q.Collector == "":
		return nil, nhip.Errorf(nhip.Missing, "collector", "is required")
	case len(q.IDs) == 0 || len(q.IDs) > nhip.MaxReplay:
		return nil, nhip.Errorf(nhip.OutOfRange, "ids", "must be between 1 and %d, got %d", nhip.MaxReplay, len(q.IDs))
	}
	for i, id := range q.IDs {
		if id == "" {
			return nil, nhip.Errorf(nhip.Invalid, fmt.Sprintf("ids[%d]", i), "must not be empty")
		}
	}
	return q, nil
}
