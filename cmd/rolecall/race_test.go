//go:build race

package main

// raceDetector says that the tests run with it, at a third of the speed.
const raceDetector = true
