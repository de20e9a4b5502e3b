package nhip

import "time"

// RetentionQuery asks a collector which rows exceed its retention policy; with Apply it deletes them.
type RetentionQuery struct {
	Apply bool `json:"apply"`
}

// Retention is the effect of a retention policy on one stream.
type Retention struct {
	Stream  string    `json:"stream"`          // position, reading or arrival
	Keep    float64   `json:"keep_days"`       // 0 keeps rows for ever
	Until   time.Time `json:"until,omitzero"`  // rows up to this time exceed the policy
	Oldest  time.Time `json:"oldest,omitzero"` // oldest row
	Next    time.Time `json:"next,omitzero"`   // when the oldest row will exceed the policy, where none does yet
	Rows    int       `json:"rows"`            // rows that exceed the policy, or were deleted
	Deleted bool      `json:"deleted"`
	Held    string    `json:"held,omitempty"` // why the rows must not be deleted yet
}
