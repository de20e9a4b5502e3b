// Command nhip runs the platform, whole (nhip up) or for a while as one of its tools.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"nhip/internal/datadir"
	"nhip/internal/sim"

	"github.com/alecthomas/kong"
)

// cli is the command line.
type cli struct {
	LogLevel string `help:"Least level that is logged: debug, info, warn or error." enum:"debug,info,warn,error" default:"info" env:"NHIP_LOG_LEVEL"`

	Up           upCmd           `cmd:"" help:"Run every role in one process."`
	Gateway      gatewayCmd      `cmd:"" help:"Run a gateway alone: it keeps what devices say until a broker has it."`
	Collector    collectorCmd    `cmd:"" help:"Run a collector alone, on a broker and an InfluxDB."`
	API          apiCmd          `cmd:"" name:"api" help:"Run an api alone, on a broker and an InfluxDB."`
	Check        checkCmd        `cmd:"" help:"Show the configuration that holds, and where it comes from."`
	Decode       decodeCmd       `cmd:"" help:"Show what a payload says, and what of it would be turned away."`
	Device       deviceCmd       `cmd:"" help:"Say who may speak: add, list, disable and enable devices, and change their secrets."`
	BrokerConfig brokerConfigCmd `cmd:"" help:"Write the configuration of an outside broker: the fleet's devices and their topics."`
	Fleet        fleetCmd        `cmd:"" help:"Compare versions of the fleet."`
	Replay       replayCmd       `cmd:"" help:"Publish recordings, as they were or faster."`
	Import       importCmd       `cmd:"" help:"Take in histories: files of readings, however old."`
	Recompute    recomputeCmd    `cmd:"" help:"Judge, correct and sum up again what stations have said, from raw."`
	Retention    retentionCmd    `cmd:"" help:"Show and delete what of the history is older than the policy keeps."`
	Backtest     backtestCmd     `cmd:"" help:"Hold what the engine said of a recorded day against what happened."`
	Ledger       ledgerCmd       `cmd:"" help:"Show what became of everything that was taken in, and verify it."`
	Dead         deadCmd         `cmd:"" help:"List, show and replay what was turned away."`
}

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run is main without the process: it returns the exit code. The first interrupt stops in order,
// the second at once.
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
		fmt.Fprintln(stderr, "nhip: stopped at once; the next start picks up what is in the journal")
		os.Exit(1)
	}()
	return execute(ctx, args, stdout, stderr)
}

// env is what every command gets.
type env struct {
	ctx    context.Context
	stdout io.Writer
	stderr io.Writer
	log    *slog.Logger
}

// execute parses the arguments and runs one command.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var c cli
	exited := -1
	parser, err := kong.New(&c,
		kong.Name("nhip"),
		kong.Description("Nhịp takes in a city's buses and air monitors and tells its people, now."),
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { exited = code }),
		kong.Vars{"data_dir": datadir.Default, "sim_buses": strconv.Itoa(sim.DefaultBuses), "import_formats": strings.Join(importFormats(), ",")},
	)
	if err != nil {
		fmt.Fprintln(stderr, "nhip:", err)
		return 1
	}
	command, err := parser.Parse(args)
	if exited >= 0 { // --help was asked for and given
		return exited
	}
	if err != nil {
		fmt.Fprintln(stderr, "nhip:", err)
		return 1
	}
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.LogLevel)) // kong lets none but these in
	e := &env{
		ctx: ctx, stdout: stdout, stderr: stderr,
		log: slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level})),
	}
	switch err := command.Run(e); {
	case err == nil || errors.Is(err, errStopped):
		return 0
	case errors.Is(err, errFaulty), errors.Is(err, errTurnedAway): // they have told
	default:
		complain(stderr, err)
	}
	return 1
}

// complain prints an error that may be several, each on its line.
func complain(stderr io.Writer, err error) {
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintln(stderr, "nhip:", strings.TrimSuffix(line, "\n"))
	}
}

// errStopped ends a command that was interrupted and stopped as it should.
var errStopped = errors.New("stopped")
