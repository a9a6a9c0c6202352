package main

import (
	"log/slog"
)

func attr(key, value string) slog.Attr { return slog.String(key, value) }
func attrErr(err error) slog.Attr      { return slog.Any("err", err) }

// stderrLogger logs what a person at the terminal should know: warnings and worse.
func stderrLogger(t *terminal) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.err, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// serveLogger logs JSON, for the machine that collects it.
func serveLogger(t *terminal) *slog.Logger {
	return slog.New(slog.NewJSONHandler(t.err, &slog.HandlerOptions{Level: slog.LevelInfo}))
}
