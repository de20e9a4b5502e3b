package main

import (
	"context"
	"io"
	"log/slog"
)

// env is the environment of a command.
type env struct {
	ctx    context.Context
	stdout io.Writer
	stderr io.Writer
	log    *slog.Logger
}
