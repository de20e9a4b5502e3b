package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"nhip/internal/datadir"
	"nhip/internal/influx"
	"nhip/internal/influxd"
)

// database returns the options of the configured bucket.
func (r *runtime) database() influx.Options {
	c := r.conf.Influx
	return influx.Options{
		URL: c.URL, Token: c.Token, Org: c.Org, Bucket: c.Bucket, Logger: r.log, Registerer: r.registry,
	}
}

// openSharedDatabase opens the database that the roles share, now or as soon as it answers.
func (r *runtime) openSharedDatabase(ctx context.Context) (*influx.LazyDB, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	db, err := influx.OpenLazy(ctx, r.database())
	if err != nil {
		return nil, err
	}
	r.cleanup.Push("the database client", func(context.Context) error { db.Close(); return nil })
	return db, nil
}

// databaseApp is the embedded database alone.
type databaseApp struct {
	*runtime
	child *influxd.Server
}

// Database returns the embedded database alone, for roles that run apart on one machine. It is ready when the database
// answers. It is not meant for several machines: it has no TLS.
func Database(o Options) *Role {
	d := &databaseApp{runtime: newRuntime(o)}
	return &Role{runtime: d.runtime, steps: []step{d.start, d.await}, addresses: d.addresses}
}

func (d *databaseApp) start(context.Context) error {
	if err := d.openDataDir(datadir.Database); err != nil {
		return err
	}
	var err error
	d.child, err = d.startInfluxd()
	return err
}

// await waits until the database answers, however long it loads its data, and announces its address.
func (d *databaseApp) await(ctx context.Context) error {
	if err := d.child.Await(ctx); err != nil {
		return err
	}
	d.announceAddresses(d.addresses().Local)
	return nil
}

func (d *databaseApp) addresses() Addresses {
	at := d.child.URL()
	return Addresses{Influx: at, Local: datadir.Addresses{Influx: at}}
}

// embeddedDatabase starts the embedded database unless another one is configured. It returns the options of the
// database that the role uses, and the process; nil: none was started.
func (r *runtime) embeddedDatabase() (influx.Options, *influxd.Server, error) {
	o := r.database()
	if o.URL != "" && r.conf.Influx.Listen != "" {
		return o, nil, errors.New("influx.listen: has no effect with influx.url, which names a database that runs already; " +
			"leave one of them out")
	}
	if o.URL != "" {
		return o, nil, nil
	}
	child, err := r.startInfluxd()
	if err != nil {
		return o, nil, err
	}
	o.URL, o.Token, o.OnStuck = child.URL(), child.Token(), child.Renew
	return o, child, nil
}

func (r *runtime) startInfluxd() (*influxd.Server, error) {
	program, err := findInfluxd(r.options.Influxd)
	if err != nil {
		return nil, err
	}
	child, err := influxd.Start(influxd.Options{
		Binary: program, Dir: r.dir.Path("influx"), AuthFile: r.dir.Path("influx.auth"), Damage: r.damaged,
		Listen: r.conf.Influx.Listen, Logger: r.log, Registerer: r.registry,
	})
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, &ListenError{"influx.listen", fmt.Errorf("influx.listen: %w", err)}
	}
	if err != nil {
		return nil, err
	}
	r.cleanup.Push("the database", child.Stop)
	return child, nil
}

// findInfluxd returns the given program or, without one, influxd in the folder of the running program.
func findInfluxd(given string) (string, error) {
	if given != "" {
		return given, nil
	}
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("can't find this program's own folder: %w", err)
	}
	beside := filepath.Join(filepath.Dir(self), "influxd")
	if _, err := os.Stat(beside); err == nil {
		return beside, nil
	}
	return "", errors.New(
		"the embedded InfluxDB (influxd beside nhip) is missing: run `make build`, or name a database with --influx-url")
}
