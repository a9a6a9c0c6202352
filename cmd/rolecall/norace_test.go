//go:build !race

package main

const (
	raceDetector = false
	slowness     = 1
)
