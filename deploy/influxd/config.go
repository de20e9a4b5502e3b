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

// config returns the server's complete configuration. No file or environment variable overrides it.
func (o *options) config() *run.Config {
	c := run.NewConfig()
	c.Meta.Dir = filepath.Join(o.dir, "meta")
	c.BindAddress = "127.0.0.1:0" // backup over TCP without a password: open closes it
	c.ReportingDisabled = true    // no usage reports to the vendor
	c.Logging.Level = zapcore.WarnLevel
	c.Monitor.StoreEnabled = false // no internal metrics in the database
	c.ContinuousQuery.Enabled = false
	c.Subscriber.Enabled = false
	o.configData(&c.Data)

	c.HTTPD.BindAddress = o.http
	c.HTTPD.AuthEnabled = true
	c.HTTPD.FluxEnabled = false // nothing asks Flux, whose library takes 3 s to start
	c.HTTPD.LogEnabled = false
	c.HTTPD.PprofEnabled = false
	return c
}

// configData configures the storage of rows.
func (o *options) configData(c *tsdb.Config) {
	c.Dir = filepath.Join(o.dir, "data")
	c.WALDir = filepath.Join(o.dir, "wal")
	c.WALFsyncDelay = 0 // a write is confirmed when it is on disk
	c.Index = tsdb.TSI1IndexName
	c.CacheMaxMemorySize = toml.Size(o.cacheMB) * mebibyte
	c.MaxSeriesPerDatabase = 0 // no limit: InfluxDB would reject all rows
	c.MaxValuesPerTag = 0      // of the buses beyond the limit
	c.QueryLogEnabled = false
}
