//go:build race

package main

// The race detector makes everything a few times slower.
const (
	raceDetector = true
	slowness     = 4
)
