package main

import (
	"path/filepath"

	"github.com/influxdata/influxdb/cmd/influxd/run"
	"github.com/influxdata/influxdb/toml"
	"github.com/influxdata/influxdb/tsdb"
	"go.uber.org/zap/zapcore"
)

// mebibyte in bytes.
const mebibyte = 1 << 20

// config is the server's whole configuration. No file and no environment variable changes it.
func (o *options) config() *run.Config {
	c := run.NewConfig()
	c.Meta.Dir = filepath.Join(o.dir, "meta")
	c.BindAddress = "127.0.0.1:0" // backup over TCP without a password: serve shuts it, see there
	c.ReportingDisabled = true    // nothing phones home
	c.Logging.Level = zapcore.WarnLevel
	c.Monitor.StoreEnabled = false // no writes of its own
	c.ContinuousQuery.Enabled = false
	c.Subscriber.Enabled = false
	o.configData(&c.Data)

	c.HTTPD.BindAddress = o.http
	c.HTTPD.AuthEnabled = true
	c.HTTPD.FluxEnabled = true
	c.HTTPD.LogEnabled = false
	c.HTTPD.PprofEnabled = false
	return c
}

// configData says how rows are kept.
func (o *options) configData(c *tsdb.Config) {
	c.Dir = filepath.Join(o.dir, "data")
	c.WALDir = filepath.Join(o.dir, "wal")
	c.WALFsyncDelay = 0 // a write is answered when it is on disk
	c.Index = tsdb.TSI1IndexName
	c.CacheMaxMemorySize = toml.Size(o.cacheMB) * mebibyte
	c.MaxSeriesPerDatabase = 0 // a fleet is as large as it is: a limit here would
	c.MaxValuesPerTag = 0      // turn the facts of its newest buses away for good
	c.QueryLogEnabled = false
}
