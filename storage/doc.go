// Package storage remembers: who people are, what was asked and decided, what
// became of it, and the trail that proves it. It is the only place with SQL,
// and runs on one SQLite file or on PostgreSQL with the same queries.
//
// Every method that writes is one transaction: the rows, the jobs that follow
// from them, and the audit lines, which are appended last because they make
// writers queue up. A write without its audit line cannot be expressed. Facts
// and provisioned resources that come at once share a transaction, as if each had
// its own.
//
// Rows are never deleted, so the trail vouches for every one of them, down to who
// was a member of a provisioned group. No line speaks of nine tables.
// identity_keys, earlier_keys, former_addresses, resource_emails, request_ends and
// team_managers only repeat what identities, resources, requests and accounts say, and
// are verified against them. source_heard, cursors and group_reads, when a source was
// last heard, how far it was read, and when a group was last found unchanged, move all
// the time and say nothing of anybody; whoever forges them can at most keep the house
// from noticing that a source or Slack has fallen silent, or make it read again.
//
// On SQLite one connection writes, for our rows and for the job queue alike:
// database/sql hands it out first come, first served, where SQLite's own busy
// handler would starve one of two pools. While a transaction is open nothing
// may ask the pool for anything, or it waits for itself.
package storage
