package client

import (
	"net/url"
	"strconv"
	"time"
)

// query holds the parameters of a request; zero values are left out.
type query url.Values

func (q query) text(name, value string) {
	if value != "" {
		q[name] = []string{value}
	}
}

func (q query) time(name string, value time.Time) {
	if !value.IsZero() {
		q[name] = []string{value.UTC().Format(time.RFC3339)}
	}
}

func (q query) number(name string, value int) {
	if value != 0 {
		q[name] = []string{strconv.Itoa(value)}
	}
}
