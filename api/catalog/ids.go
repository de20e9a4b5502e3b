package catalog

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Bounds of the lists of what the history has. Requests for unknown stations cost no more than that.
const (
	relistAfter = 5 * time.Second // shortest time between two lists
	listShare   = 50              // the history spends 1 of so many parts of its time on one kind of list
)

// listLifetime returns for how long a list is used that took so long to read.
func listLifetime(took time.Duration) time.Duration { return max(relistAfter, listShare*took) }

// listWait bounds a list.
const listWait = 10 * time.Second

// stationIDs knows the ids of the stations in the history. An id that was listed is known from then on; for another
// one it lists again.
type stationIDs struct {
	list func(ctx context.Context) ([]string, error)

	run    context.Context // ends with close
	cancel context.CancelFunc
	lists  sync.WaitGroup

	mu      sync.Mutex
	known   map[string]bool // nil before the first list
	listed  time.Time       // of the last list, also a failed one
	took    time.Duration   // the last list
	err     error           // of the last list
	listing chan struct{}   // closed at the end of the list that runs; nil: none runs
}

func newStationIDs(list func(ctx context.Context) ([]string, error)) *stationIDs {
	s := &stationIDs{list: list}
	s.run, s.cancel = context.WithCancel(context.Background())
	return s
}

// close cancels a running list and waits for it.
func (s *stationIDs) close() {
	s.cancel()
	s.lists.Wait()
}

// has reports whether the history has a station. It asks the history once in listLifetime at most.
func (s *stationIDs) has(ctx context.Context, station string) (bool, error) {
	known, listing, err := s.refresh(func() bool { return s.known[station] })
	if known || listing == nil {
		return known, err
	}
	if err := await(ctx, listing); err != nil {
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.known[station], s.err
}

// all returns all ids, sorted. They are at most listLifetime old, unless the history does not answer: then they are
// those of the last list, and the error says why if there was none.
func (s *stationIDs) all(ctx context.Context) ([]string, error) {
	if _, listing, _ := s.refresh(func() bool { return false }); listing != nil {
		if err := await(ctx, listing); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil {
		return nil, s.err
	}
	ids := make([]string, 0, len(s.known))
	for id := range s.known {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids, nil
}

// refresh starts a list unless what is known suffices or the last one is too young. It returns the end of the list
// that runs, nil if none runs.
func (s *stationIDs) refresh(suffices func() bool) (known bool, listing chan struct{}, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known = suffices()
	due := s.listed.IsZero() || time.Since(s.listed) >= listLifetime(s.took)
	if !known && s.listing == nil && due && s.run.Err() == nil {
		done := make(chan struct{})
		s.listing = done
		s.lists.Go(func() { s.relist(done) }) // for all that wait, also after the first has gone
	}
	return known, s.listing, s.err
}

// await waits for the end of a list.
func await(ctx context.Context, listing chan struct{}) error {
	select {
	case <-listing:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// relist asks the history for its stations, within listWait.
func (s *stationIDs) relist(done chan struct{}) {
	ctx, cancel := context.WithTimeout(s.run, listWait)
	defer cancel()
	began := time.Now()
	ids, err := s.listSafely(ctx)
	known := make(map[string]bool, len(ids))
	for _, id := range ids {
		known[id] = true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err = err; err == nil {
		s.known = known
	}
	s.listed, s.listing = time.Now(), nil
	s.took = s.listed.Sub(began)
	close(done)
}

// listSafely is list that returns a panic as an error: the goroutine is no handler's.
func (s *stationIDs) listSafely(ctx context.Context) (ids []string, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("the list of stations panicked: %v", fault)
		}
	}()
	return s.list(ctx)
}
