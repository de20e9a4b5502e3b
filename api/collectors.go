package api

import (
	"context"
	"slices"
	"sync"

	"nhip"
)

// Ledger and dead letters live with the collector that keeps them. The api asks each over MQTT, see
// package ask, and merges what they answer.

// asked returns the collectors that a question is for: the one that is named, or all that count. One
// that does not is not there.
func (a *API) asked(name string) ([]string, error) {
	all := a.city.collectors()
	switch {
	case name == "":
		return all, nil
	case slices.Contains(all, name):
		return []string{name}, nil
	}
	return nil, nhip.Errorf(nhip.NotFound, "collector", "%q counts nothing now", name)
}

// answersOf puts one question to several collectors at once. Those that do not answer are left out and
// returned as silent; any other error ends it.
func answersOf[A any](ctx context.Context, a *API, collectors []string, question string, params any) (answers map[string]A, silent []string, err error) {
	got, errs := make([]A, len(collectors)), make([]error, len(collectors))
	var asking sync.WaitGroup
	for i, c := range collectors {
		asking.Go(func() { errs[i] = a.asker.Ask(ctx, c, question, params, &got[i]) })
	}
	asking.Wait()
	answers = make(map[string]A)
	for i, c := range collectors {
		switch {
		case errs[i] == nil:
			answers[c] = got[i]
		case nhip.ErrorCode(errs[i]) == nhip.Unavailable && len(collectors) > 1:
			silent = append(silent, c)
		default:
			return nil, nil, errs[i]
		}
	}
	return answers, silent, nil
}
