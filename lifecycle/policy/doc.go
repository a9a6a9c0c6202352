// Package policy reads the rules file: who should hold what, who decides, and
// how carefully.
//
// The file is reviewed by people, so reading it is strict and says everything
// that is wrong at once, each with its line, its column and what to write
// instead. Nothing is guessed: a key that is not known, a value written twice
// and a name that could mean two things are mistakes. YAML's conveniences that
// make a file mean something other than what is read (anchors, merge keys,
// tags, a second document, characters that do not show) are refused.
//
// A policy that cannot be read grants nothing: Load and Parse return it only
// when there is no mistake.
package policy
