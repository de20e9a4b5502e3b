package app

import (
	"context"
	"log/slog"
	"sync/atomic"

	"nhip"
	"nhip/collector"
	"nhip/internal/wait"
)

// intake is the acceptor of all roles in one process: a collector, as soon as the disk lets it open its journals. Until
// then it refuses messages, so that devices keep them.
type intake struct {
	start func() (*collector.Collector, error) // opens the collector
	log   *slog.Logger

	collector atomic.Pointer[collector.Collector]
	lastErr   string // of the last attempt to open the collector
}

// errNoCollector answers messages that can't be accepted yet.
var errNoCollector = nhip.Errorf(nhip.CodeUnavailable, "", "the data folder can't be used yet; send the message again")

// Accept passes a message to the collector.
func (i *intake) Accept(m nhip.Message, done func(error)) {
	if c := i.collector.Load(); c != nil {
		c.Accept(m, done)
		return
	}
	done(errNoCollector)
}

// taking reports whether messages are accepted now.
func (i *intake) taking() bool {
	c := i.collector.Load()
	return c != nil && c.Taking()
}

// intact reports whether no loss is known.
func (i *intake) intact() bool {
	c := i.collector.Load()
	return c == nil || c.Intact()
}

// connectionFault returns why the collector does not publish reliably, or "".
func (i *intake) connectionFault() string {
	if c := i.collector.Load(); c != nil {
		return c.ConnectionFault()
	}
	return ""
}

// open opens the collector. It returns false without an error if the disk does not let it; another fault is an error.
func (i *intake) open() (bool, error) {
	c, err := i.start()
	if err == nil {
		i.collector.Store(c)
		return true, nil
	}
	if !diskFault(err) {
		return false, err
	}
	if err.Error() != i.lastErr {
		i.log.Error("the data folder can't be used; messages are refused until it can", "error", err)
	}
	i.lastErr = err.Error()
	return false, nil
}

// openLater opens the collector and starts it as soon as the disk lets it.
func (i *intake) openLater(ctx context.Context) error {
	for {
		if err := wait.Sleep(ctx, diskRetry); err != nil {
			return err
		}
		opened, err := i.open()
		if err != nil {
			i.log.Error("the collector can't start; messages are refused until a restart", "error", err)
			return nil
		}
		if opened {
			i.log.Info("the data folder can be used; messages are accepted")
			return i.collector.Load().Start(ctx)
		}
	}
}

// stop stops the collector. openLater must have returned.
func (i *intake) stop(ctx context.Context) error {
	if c := i.collector.Load(); c != nil {
		return c.Stop(ctx)
	}
	return nil
}
