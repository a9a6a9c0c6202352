package main

import (
	"context"
	"errors"
	"time"

	"rolecall/lifecycle"
	"rolecall/storage"
)

// flows are the domain's, each over the ports it asks for.
type flows struct {
	inbox        *lifecycle.Inbox
	sources      *lifecycle.Sources
	snapshots    *lifecycle.Snapshots
	provisioning *lifecycle.Provisioning
	registrar    *lifecycle.Registrar
	matcher      *lifecycle.Matcher
	brakes       *lifecycle.Brakes
	planner      *lifecycle.Planner
	approvals    *lifecycle.Approvals
	reviews      *lifecycle.Reviews
	absences     *lifecycle.Absences
	groups       *lifecycle.Groups
	timekeeper   *lifecycle.Timekeeper
	provisioner  *lifecycle.Provisioner
	rollCall     *lifecycle.RollCall
	lastMile     *lifecycle.LastMile
	directory    *lifecycle.Directory
	desk         *lifecycle.Desk
	digests      *lifecycle.Digests
}

// livePolicy is the policy in force, as it is written and with its teams.
type livePolicy interface {
	lifecycle.PolicySource
	lifecycle.WrittenPolicy
}

// platform is what the flows need of PagerDuty.
type platform interface {
	lifecycle.Platform
	lifecycle.Snapshotter
	lifecycle.Reacher
}

func newFlows(db *storage.DB, pd platform, rules livePolicy, s settings, now func() time.Time) flows {
	brakes := lifecycle.NewBrakes(db, rules, now)
	f := flows{
		inbox:        lifecycle.NewInbox(db, now),
		sources:      lifecycle.NewSources(db, rules, now),
		provisioning: lifecycle.NewProvisioning(db, now),
		registrar:    lifecycle.NewRegistrar(db, rules, s.settle, now),
		matcher:      lifecycle.NewMatcher(db, rules, now),
		brakes:       brakes,
		planner:      lifecycle.NewPlanner(db, db, pd, rules, brakes, s.mode, now),
		approvals:    lifecycle.NewApprovals(db, rules, now),
		absences:     lifecycle.NewAbsences(db, rules, now),
		timekeeper:   lifecycle.NewTimekeeper(db, rules, now),
		provisioner:  lifecycle.NewProvisioner(db, db, pd, s.mode, now),
		rollCall:     lifecycle.NewRollCall(db, pd, rules, now),
		lastMile:     lifecycle.NewLastMile(db, pd, s.mode, now),
		directory:    lifecycle.NewDirectory(db, rules, now),
	}
	f.groups = lifecycle.NewGroups(db, f.directory, rules, now)
	f.snapshots = lifecycle.NewSnapshots(db, f.inbox, f.sources, now)
	f.reviews = lifecycle.NewReviews(db, f.planner, f.approvals, now)
	f.desk = lifecycle.NewDesk(db, f.approvals, rules, now)
	f.digests = lifecycle.NewDigests(db, f.desk, f.directory, rules, s.digest, now)
	return f
}

// work hands each step of the flow to the one that takes it.
func (f flows) work(db *storage.DB) {
	db.Handle(lifecycle.JobRegister, func(ctx context.Context, a lifecycle.Attempt) error {
		return f.registrar.Register(ctx, lifecycle.NoticeID(a.Ref))
	})
	db.Handle(lifecycle.JobPlan, func(ctx context.Context, a lifecycle.Attempt) error {
		return f.planner.Plan(ctx, lifecycle.NoticeID(a.Ref))
	})
	db.Handle(lifecycle.JobRelease, func(ctx context.Context, a lifecycle.Attempt) error {
		return f.brakes.Take(ctx, lifecycle.HoldID(a.Ref))
	})
	db.Handle(lifecycle.JobAsk, func(ctx context.Context, a lifecycle.Attempt) error {
		return f.planner.Ask(ctx, lifecycle.FindingID(a.Ref))
	})
	db.Handle(lifecycle.JobReplan, func(ctx context.Context, a lifecycle.Attempt) error {
		return f.planner.Replan(ctx, lifecycle.RequestID(a.Ref))
	})
	db.Handle(lifecycle.JobApply, func(ctx context.Context, a lifecycle.Attempt) error {
		return f.provisioner.Apply(ctx, lifecycle.RequestID(a.Ref), a.Last)
	})
	db.Handle(lifecycle.JobStop, func(ctx context.Context, a lifecycle.Attempt) error {
		return f.planner.Stop(ctx, lifecycle.RequestID(a.Ref))
	})
	db.Handle(lifecycle.JobReroute, func(ctx context.Context, a lifecycle.Attempt) error {
		return f.absences.Reroute(ctx, lifecycle.AbsenceID(a.Ref))
	})
	db.Handle(lifecycle.JobEnd, func(ctx context.Context, a lifecycle.Attempt) error {
		return f.planner.End(ctx, lifecycle.RequestID(a.Ref))
	})
	db.Handle(lifecycle.JobEscalate, func(ctx context.Context, a lifecycle.Attempt) error {
		return f.timekeeper.Escalate(ctx, lifecycle.RequestID(a.Ref))
	})
	db.Handle(lifecycle.JobExpire, func(ctx context.Context, a lifecycle.Attempt) error {
		return f.timekeeper.Expire(ctx, lifecycle.RequestID(a.Ref))
	})
	db.Handle(lifecycle.JobFollow, func(ctx context.Context, a lifecycle.Attempt) error {
		return f.lastMile.Follow(ctx, lifecycle.RequestID(a.Ref))
	})
	db.Handle(lifecycle.JobAnswer, func(ctx context.Context, a lifecycle.Attempt) error {
		return f.matcher.Take(ctx, lifecycle.CaseID(a.Ref))
	})
	db.Handle(lifecycle.JobRestate, func(ctx context.Context, a lifecycle.Attempt) error {
		return f.provisioning.Restate(ctx, a.Ref)
	})
	db.Handle(lifecycle.JobSilence, func(ctx context.Context, _ lifecycle.Attempt) error {
		return errors.Join(f.sources.LookForSilence(ctx), f.brakes.Remind(ctx))
	})
	db.Handle(lifecycle.JobGlance, func(ctx context.Context, a lifecycle.Attempt) error {
		_, err := f.rollCall.Glance(ctx, lifecycle.Actor(a.Ref))
		return err
	})
	db.Handle(lifecycle.JobRollCall, func(ctx context.Context, a lifecycle.Attempt) error {
		_, err := f.rollCall.Run(ctx, lifecycle.Actor(a.Ref))
		return err
	})
}
