// Command nhip runs the platform: all roles in one process (nhip up), one role alone, or one of the tools.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"nhip"

	"github.com/alecthomas/kong"
)

// cli is the command line.
type cli struct {
	LogLevel string `help:"${help_log_level}" enum:"debug,info,warn,error" default:"info" env:"NHIP_LOG_LEVEL"`

	Up           upCmd           `cmd:"" help:"Run all roles in one process."`
	Gateway      gatewayCmd      `cmd:"" help:"Run a gateway alone. It keeps messages on disk until the broker has them."`
	Collector    collectorCmd    `cmd:"" help:"Run a collector alone, on a broker and an InfluxDB."`
	API          apiCmd          `cmd:"" name:"api" help:"Run an api alone, on a broker and an InfluxDB."`
	Influx       influxCmd       `cmd:"" help:"Run the embedded InfluxDB alone."`
	Check        checkCmd        `cmd:"" help:"Print the effective configuration and the origin of each value."`
	Decode       decodeCmd       `cmd:"" help:"Print the facts of a payload and the reasons for rejected rows."`
	Device       deviceCmd       `cmd:"" help:"Add, list, disable and enable devices, and rotate their secrets."`
	BrokerConfig brokerConfigCmd `cmd:"" help:"Write the configuration of an external broker."`
	Fleet        fleetCmd        `cmd:"" help:"Compare versions of the fleet."`
	Replay       replayCmd       `cmd:"" help:"Publish recordings at their own pace or faster."`
	Import       importCmd       `cmd:"" help:"Import files of readings of any age."`
	Recompute    recomputeCmd    `cmd:"" help:"Assess, correct and aggregate readings again from the raw values."`
	Verify       verifyCmd       `cmd:"" help:"Check results by a second computation."`
	Key          keyCmd          `cmd:"" help:"Make, list, rotate and remove keys of staff and programs."`
	Retention    retentionCmd    `cmd:"" help:"Show and delete history that is older than the retention policy keeps."`
	Backtest     backtestCmd     `cmd:"" help:"Compare the engine's estimates for a recorded day with the actual values."`
	Ledger       ledgerCmd       `cmd:"" help:"Show the outcome of all received rows, and verify it."`
	Dead         deadCmd         `cmd:"" help:"List, show and replay dead letters."`
	Licenses     licensesCmd     `cmd:"" help:"Print the licenses of nhip and of the software in it."`
}

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run executes the arguments and returns the exit code. The first interrupt stops in order, the second at once.
func run(args []string, stdout, stderr io.Writer) int {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	go func() {
		<-signals
		cancel()
		<-signals
		fmt.Fprintln(stderr, "nhip: stopped at once; the next start continues from the journal")
		os.Exit(1)
	}()
	return execute(ctx, args, stdout, stderr)
}

// parser parses command lines into its cli, one at a time.
type parser struct {
	cli
	*kong.Kong
}

func newParser() (*parser, error) {
	p := &parser{}
	var err error
	p.Kong, err = kong.New(&p.cli,
		kong.Name("nhip"),
		kong.Description("Nhịp collects a city's bus and air telemetry and serves it within seconds."),
		helpVars(),
	)
	return p, err
}

// execute parses the arguments, runs one command and returns the exit code.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	p, err := newParser()
	if err != nil {
		fmt.Fprintln(stderr, "nhip:", err)
		return 1
	}
	return p.execute(ctx, args, stdout, stderr)
}

func (p *parser) execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	exited := -1
	p.Stdout, p.Stderr, p.Exit = stdout, stderr, func(code int) { exited = code }
	command, err := p.Parse(args)
	if exited >= 0 { // kong has printed the help
		return exited
	}
	if err != nil {
		fmt.Fprintln(stderr, "nhip:", err)
		return 1
	}
	var level slog.Level
	_ = level.UnmarshalText([]byte(p.LogLevel)) // kong accepts the enum's values only
	e := &env{
		ctx: ctx, stdout: stdout, stderr: stderr,
		log: slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level, ReplaceAttr: formatDurations})),
	}
	switch err := command.Run(e); {
	case err == nil || errors.Is(err, errStopped):
		return 0
	case errors.Is(err, errFaulty), errors.Is(err, errRejected): // the command has printed the reasons
	default:
		printError(stderr, err)
	}
	return 1
}

// formatDurations writes durations in logs as in the configuration.
func formatDurations(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		return slog.String(a.Key, nhip.FormatDuration(a.Value.Duration()))
	}
	return a
}
