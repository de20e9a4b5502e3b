package gtfsrt

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"nhip"
	"nhip/api/rest"

	"github.com/MobilityData/gtfs-realtime-bindings/golang/gtfs"
	"github.com/cespare/xxhash/v2"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// Ages of a feed. The validator warns of one older than 65 s (W008), and of 35 s between two (W007).
const (
	refreshPeriod = 5 * time.Second
	maxFeedAge    = 20 * time.Second // how old a feed may be that is served while the next one is made
)

// source makes the messages of one feed, one after the other.
type source struct {
	clock nhip.Clock
	build func() (*builder, error)

	building sync.Mutex // held while a feed is made

	mu      sync.Mutex
	current *feed
}

// feed returns the newest feed. It makes one if the newest is older than the refresh period. While another caller makes
// one, callers get the one before it, unless that is too old.
func (s *source) feed() (*feed, error) {
	current := s.last()
	if current.freshFor(s.clock.Now(), refreshPeriod) {
		return current, nil
	}
	if !s.building.TryLock() {
		if current.freshFor(s.clock.Now(), maxFeedAge) {
			return current, nil
		}
		s.building.Lock()
	}
	defer s.building.Unlock()
	if current = s.last(); current.freshFor(s.clock.Now(), refreshPeriod) {
		return current, nil // another caller made it
	}
	b, err := s.build()
	if err != nil {
		return nil, err
	}
	next := b.feed(current)
	s.mu.Lock()
	s.current = next
	s.mu.Unlock()
	return next, nil
}

func (s *source) last() *feed {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current
}

// feed is one state of a feed. Its encodings are made at their first use.
type feed struct {
	made     time.Time
	stamp    time.Time // header.timestamp
	content  uint64    // hash of the entities
	entities []entity

	mu    sync.Mutex
	forms map[selection]*encoding
}

// selection is what a client wants of a feed.
type selection struct {
	agency string // "" for all
	form   string
	as     string // the agency id that every alert names; "" leaves them as they are
}

// freshFor reports whether the feed is at most so old. A clock that was set back makes it stale.
func (f *feed) freshFor(now time.Time, age time.Duration) bool {
	return f != nil && now.Sub(f.made) < age && !now.Before(f.made)
}

// maxAgencies bounds the encodings of a feed that are kept.
const maxAgencies = 200

// encoded returns a part of the feed as it is sent.
func (f *feed) encoded(of selection) (*encoding, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if e := f.forms[of]; e != nil {
		return e, nil
	}
	e, err := f.encode(&of)
	if err != nil {
		return nil, fmt.Errorf("encoding a GTFS-realtime feed: %w", err)
	}
	if len(f.forms) < 2*maxAgencies {
		f.forms[of] = e
	}
	return e, nil
}

// message returns the feed message without its entities, and these, of a selection.
func (f *feed) message(of *selection) (*gtfs.FeedMessage, []entity) {
	m := &gtfs.FeedMessage{Header: &gtfs.FeedHeader{
		GtfsRealtimeVersion: proto.String("2.0"),
		Incrementality:      gtfs.FeedHeader_FULL_DATASET.Enum(),
		Timestamp:           seconds(f.stamp),
	}}
	var entities []entity
	for _, e := range f.entities {
		if of.agency == "" || e.agencies[0] == of.agency || e.agencies[1] == of.agency {
			entities = append(entities, e.named(of.as))
		}
	}
	return m, entities
}

func seconds(t time.Time) *uint64 { return proto.Uint64(uint64(max(t.Unix(), 0))) }

// encoding is a feed as it is sent.
type encoding struct {
	contentType      string
	plain, gzip      []byte
	etag, zippedETag string
	stamp            time.Time
	modified         string // stamp as a header
}

// contentTypePB is the media type of the protocol buffers of GTFS-realtime.
const contentTypePB = "application/x-protobuf"

func (f *feed) encode(of *selection) (*encoding, error) {
	e := &encoding{contentType: contentTypePB, stamp: f.stamp.UTC().Truncate(time.Second)}
	m, entities := f.message(of)
	var err error
	if of.form == formJSON {
		e.contentType = rest.FormatJSON
		for _, x := range entities {
			m.Entity = append(m.Entity, x.FeedEntity)
		}
		e.plain, err = protojson.MarshalOptions{UseProtoNames: true}.Marshal(m)
	} else {
		e.plain, err = appendEntities(m, entities)
	}
	if err != nil {
		return nil, err
	}
	hash := xxhash.Sum64(e.plain)
	e.etag, e.zippedETag = fmt.Sprintf(`"%016x"`, hash), fmt.Sprintf(`"%016x-gzip"`, hash)
	e.modified = e.stamp.Format(http.TimeFormat)
	e.gzip = rest.Gzip(e.plain)
	return e, nil
}

// entityField is the number of the field of a feed message that holds its entities.
const entityField protowire.Number = 2

// appendEntities encodes a feed message with entities. Most of them are encoded already, for the hash of the feed.
func appendEntities(m *gtfs.FeedMessage, entities []entity) ([]byte, error) {
	out, err := deterministic.Marshal(m)
	if err != nil {
		return nil, err
	}
	for i := range entities {
		raw, err := entities[i].encoded()
		if err != nil {
			return nil, err
		}
		out = protowire.AppendBytes(protowire.AppendTag(out, entityField, protowire.BytesType), raw)
	}
	return out, nil
}

var deterministic = proto.MarshalOptions{Deterministic: true}

func (e *entity) encoded() ([]byte, error) {
	if e.raw != nil {
		return e.raw, nil
	}
	return deterministic.Marshal(e.FeedEntity)
}

// serve answers with the encoding, or with 304 if the client has it.
func (e *encoding) serve(w http.ResponseWriter, r *http.Request) {
	h, body, etag := w.Header(), e.plain, e.etag
	if rest.AcceptsEncoding(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		body, etag = e.gzip, e.zippedETag
	}
	h.Set("Cache-Control", rest.CacheBrief)
	h.Add("Vary", "Accept-Encoding")
	h.Set("ETag", etag)
	h.Set("Last-Modified", e.modified)
	if e.unchanged(r, etag) {
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", e.contentType)
	_, _ = w.Write(body) // fails if the client disconnected
}

// unchanged reports whether the client has this state: by its ETag, or without one by its time (RFC 9110 §13.2.2).
func (e *encoding) unchanged(r *http.Request, etag string) bool {
	if given := r.Header.Get("If-None-Match"); given != "" {
		return rest.ETagMatches(given, etag)
	}
	since, err := http.ParseTime(r.Header.Get("If-Modified-Since"))
	return err == nil && !e.stamp.After(since)
}
