//go:build tools

// Package influxd2 holds the version of InfluxDB 2.7 that make influx2 builds for tests: its go.mod names it. Nothing
// imports the package.
package influxd2

import (
	_ "github.com/influxdata/influxdb/v2/cmd/influxd"
	_ "github.com/influxdata/pkg-config"
)
