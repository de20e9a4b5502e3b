package app

import "github.com/prometheus/client_golang/prometheus"

// trialRegistry registers the metrics of a part whose start may fail and be tried again.
type trialRegistry struct {
	prometheus.Registerer
	registered []prometheus.Collector
}

// Register registers c.
func (t *trialRegistry) Register(c prometheus.Collector) error {
	err := t.Registerer.Register(c)
	if err == nil {
		t.registered = append(t.registered, c)
	}
	return err
}

// MustRegister registers all of cs.
func (t *trialRegistry) MustRegister(cs ...prometheus.Collector) {
	for _, c := range cs {
		if err := t.Register(c); err != nil {
			panic(err)
		}
	}
}

// undo unregisters everything that was registered.
func (t *trialRegistry) undo() {
	for _, c := range t.registered {
		t.Unregister(c)
	}
	t.registered = nil
}
