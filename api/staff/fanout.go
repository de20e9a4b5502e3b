package staff

import (
	"context"
	"slices"
	"sync"

	"nhip"
	"nhip/api/live"
	"nhip/internal/rpc"
)

// Collectors calls the collectors, which are known from their censuses.
type Collectors struct {
	Live *live.State
	RPC  *rpc.Client
}

// all returns the names of all collectors, sorted.
func (c Collectors) all() []string { return c.Live.Collectors() }

// named returns the collector with a name, or all for "". For a collector without a census it returns an error with
// nhip.CodeNotFound.
func (c Collectors) named(name string) ([]string, error) {
	all := c.all()
	switch {
	case name == "":
		return all, nil
	case slices.Contains(all, name):
		return []string{name}, nil
	}
	return nil, nhip.Errorf(nhip.CodeNotFound, "collector", "there is no collector %q", name)
}

// call calls a method of one collector and decodes its result into answer.
func (c Collectors) call(ctx context.Context, collector, method string, params, answer any) error {
	return c.RPC.Call(ctx, collector, method, params, answer)
}

// fanOut calls a method of several collectors concurrently and returns their answers by name. Of several collectors,
// those that do not answer are returned as silent. Any other error is returned as err.
func fanOut[A any](
	ctx context.Context, c Collectors, collectors []string, method string, params any,
) (answers map[string]A, silent []string, err error) {
	got, errs := make([]A, len(collectors)), make([]error, len(collectors))
	var calls sync.WaitGroup
	for i, name := range collectors {
		calls.Go(func() { errs[i] = c.call(ctx, name, method, params, &got[i]) })
	}
	calls.Wait()
	answers = make(map[string]A)
	for i, name := range collectors {
		switch {
		case errs[i] == nil:
			answers[name] = got[i]
		case nhip.ErrorCode(errs[i]) == nhip.CodeUnavailable && len(collectors) > 1:
			silent = append(silent, name)
		default:
			return nil, nil, errs[i]
		}
	}
	return answers, silent, nil
}
