package nhip

import "time"

// RetentionQuery asks a collector what of the history is older than its policy keeps; with Apply it goes.
type RetentionQuery struct {
	Apply bool `json:"apply"`
}

// Retention says what a policy means for one stream.
type Retention struct {
	Stream  string    `json:"stream"`          // position, reading or arrival
	Keep    float64   `json:"keep_days"`       // 0: for ever
	Until   time.Time `json:"until,omitzero"`  // rows up to here are to go
	Oldest  time.Time `json:"oldest,omitzero"` // of what there is
	Next    time.Time `json:"next,omitzero"`   // when the oldest row's time is over, where none is yet
	Rows    int       `json:"rows"`            // that are to go, or have gone
	Deleted bool      `json:"deleted"`         //
	Held    string    `json:"held,omitempty"`  // why they may not go yet
}
