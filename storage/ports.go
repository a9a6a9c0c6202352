package storage

import "rolecall/lifecycle"

// What the flows ask of a store. bot.Store is held to *DB where the two meet, in cmd.
var (
	_ lifecycle.Recorder       = (*DB)(nil)
	_ lifecycle.RequestStore   = (*DB)(nil)
	_ lifecycle.ApprovalStore  = (*DB)(nil)
	_ lifecycle.ProvisionStore = (*DB)(nil)
	_ lifecycle.PlanReader     = (*DB)(nil)
	_ lifecycle.PlanWriter     = (*DB)(nil)
	_ lifecycle.RegistryStore  = (*DB)(nil)
	_ lifecycle.FactStore      = (*DB)(nil)
	_ lifecycle.RollStore      = (*DB)(nil)
	_ lifecycle.DeskStore      = (*DB)(nil)
	_ lifecycle.DirectoryStore = (*DB)(nil)
	_ lifecycle.DigestStore    = (*DB)(nil)
	_ lifecycle.OriginalStore  = (*DB)(nil)
	_ lifecycle.GlanceStore    = (*DB)(nil)
	_ lifecycle.CaseStore      = (*DB)(nil)
	_ lifecycle.PeopleStore    = (*DB)(nil)
	_ lifecycle.KnownReader    = (*DB)(nil)
	_ lifecycle.CursorStore    = (*DB)(nil)
	_ lifecycle.BrakeStore     = (*DB)(nil)
	_ lifecycle.SnapshotStore  = (*DB)(nil)
	_ lifecycle.HoldStore      = (*DB)(nil)
	_ lifecycle.SourceStore    = (*DB)(nil)
	_ lifecycle.ResourceStore  = (*DB)(nil)
	_ lifecycle.PolicyStore    = (*DB)(nil)
)
