package lifecycle

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A sitting is what is known when somebody decides on a hold.
type sitting struct {
	hold    Hold
	waiting []Removal
	members []Identity // of Security who may decide now
	by      Identity
	now     time.Time
}

// A ruling is what a decision makes of a hold. Lapsed is why what was proposed
// falls, where the decision itself does not count.
type ruling struct {
	hold     Hold
	removals []Removal
	kind     EventKind
	next     []Job
	lapsed   error
}

// authorise returns nil when the person is of Security now and not among those
// who are stopped. What the caller believes of them counts for nothing but their id.
func (s *sitting) authorise(policy Policy) error {
	k := slices.IndexFunc(s.members, func(m Identity) bool { return m.ID == s.by.ID })
	if k < 0 {
		return Refuse(ErrForbidden, "Only Security can decide this: %s.", listOr(policy.Security.Members, "nobody"))
	}
	s.by = s.members[k]
	if slices.ContainsFunc(s.waiting, s.by.isOf) {
		return Refuse(ErrForbidden, "You are among those whom this hold stops, and no one decides on their own access.")
	}
	return nil
}

// isOf reports whether the removal is about the identity.
func (i Identity) isOf(r Removal) bool { return i.ID == r.Identity }

// is reports whether both are the same person, by whatever ties them.
func (i Identity) is(o Identity) bool {
	return i.ID == o.ID || i.Account != "" && i.Account == o.Account ||
		slices.ContainsFunc(i.Person.Emails, func(e string) bool {
			return slices.ContainsFunc(o.Person.Emails, func(f string) bool { return FoldEmail(e) != "" && FoldEmail(e) == FoldEmail(f) })
		})
}

// others returns who could say the same as the person does.
func (s sitting) others() []string {
	var emails []string
	for _, m := range s.members {
		if !m.is(s.by) && !slices.ContainsFunc(s.waiting, m.isOf) {
			emails = append(emails, m.Person.Email())
		}
	}
	return emails
}

// open returns nil while the person may decide on what they saw.
func (s sitting) open(r Release) error {
	h := s.hold
	switch {
	case !h.Open():
		return Refuse(ErrConflict, "this hold is already %s%s", h.State, h.by())
	case r.Seen > h.Revision:
		return Refuse(ErrConflict, "revision %d of this hold does not exist; it is at %d", r.Seen, h.Revision)
	case r.Seen < h.Revision:
		return Refuse(ErrConflict, "This has changed since you looked: %s. Look again, and decide on that.", s.since(r.Seen))
	default:
		return nil
	}
}

func (h Hold) by() string {
	if n := len(h.Decisions); n > 0 {
		return " by " + h.Decisions[n-1].By
	}
	return ""
}

// since says what has changed since the revision.
func (s sitting) since(seen int) string {
	var what []string
	if n := s.joined(seen); n > 0 {
		what = append(what, fmt.Sprintf("%d more have joined", n))
	}
	if p := s.hold.Proposal; p != nil && p.Made > seen {
		what = append(what, p.By+" has proposed to release "+p.words())
	}
	return strings.Join(append(what, fmt.Sprintf("%d wait now", len(s.waiting))), ", ")
}

// joined returns how many of those who wait joined after the revision.
func (s sitting) joined(revision int) int {
	n := 0
	for _, r := range s.waiting {
		if r.Joined > revision {
			n++
		}
	}
	return n
}

func (p ReleaseProposal) words() string {
	if p.All {
		return fmt.Sprintf("all %d", p.Seen)
	}
	return fmt.Sprintf("%d of %d", len(p.Only), p.Seen)
}

func (s sitting) propose(r Release) (ruling, error) {
	if err := s.open(r); err != nil {
		return ruling{}, err
	}
	if err := s.names(r); err != nil {
		return ruling{}, err
	}
	if s.hold.Kind == HoldSource {
		return s.release(r), nil
	}
	others := s.others()
	if len(others) == 0 {
		return ruling{}, Refuse(ErrConflict, "This takes two people of Security, and nobody but you can decide now: add somebody to security.members of the policy.")
	}
	p := s.standing()
	switch {
	case p == nil || p.All != r.All || !slices.Equal(p.Only, r.Only):
		return s.put(r)
	case s.mine(*p) && s.joined(p.Made) > 0:
		return s.put(r)
	case s.mine(*p):
		return ruling{}, Refuse(ErrDuplicate, "You have proposed this already; somebody else of Security must say the same: %s.", listOr(others, "nobody"))
	case r.All && s.joined(p.Made) > 0:
		return s.lapse(*p), nil
	default:
		return s.release(r), nil
	}
}

// names returns nil when the release says what to let go, and all of that waits.
func (s sitting) names(r Release) error {
	switch whole := s.hold.Kind == HoldSource || s.hold.Kind == HoldPolicy; {
	case r.All == (len(r.Only) > 0):
		return Refuse(ErrInvalid, "say what to release: all of it, or those that you name")
	case whole && !r.All:
		return Refuse(ErrInvalid, "this is released as a whole or not at all")
	}
	waits := map[NoticeID]bool{}
	for _, w := range s.waiting {
		waits[w.Notice] = true
	}
	for _, n := range r.Only {
		if !waits[n] {
			return Refuse(ErrInvalid, "%s does not wait in this hold; look again who does", n)
		}
	}
	return nil
}

// standing returns what is proposed, or nil: who may not decide any more does
// not count, not even for what they said before.
func (s sitting) standing() *ReleaseProposal {
	p := s.hold.Proposal
	if p == nil || !slices.ContainsFunc(s.members, func(m Identity) bool {
		return m.ID == p.ByID && !slices.ContainsFunc(s.waiting, m.isOf)
	}) {
		return nil
	}
	return p
}

// mine reports whether the person made the proposal, under whatever identity.
func (s sitting) mine(p ReleaseProposal) bool {
	return slices.ContainsFunc(s.members, func(m Identity) bool { return m.ID == p.ByID && m.is(s.by) })
}

// put puts the proposal in the place of any that was there.
func (s sitting) put(r Release) (ruling, error) {
	if r.Reason == "" {
		return ruling{}, Refuse(ErrInvalid, "this decision needs a reason")
	}
	h := s.said(r, saidPropose)
	h.State = HoldProposed
	h.Proposal = &ReleaseProposal{All: r.All, Only: r.Only, By: s.by.Person.Email(), ByID: s.by.ID, At: s.now, Seen: len(s.waiting), Made: h.Revision}
	return ruling{hold: h, kind: EventHoldProposed, next: []Job{card(h)}}, nil
}

// lapse drops a proposal of all that another wanted to confirm, once more wait
// than it was about.
func (s sitting) lapse(p ReleaseProposal) ruling {
	h := s.hold
	h.Revision, h.UpdatedAt, h.State, h.Proposal = h.Revision+1, s.now, HoldStands, nil
	return ruling{hold: h, kind: EventHoldProposed, next: []Job{card(h)}, lapsed: Refuse(ErrConflict,
		"%d more have joined since %s proposed to release all %d, so that proposal has lapsed and nothing was released. Look again, and propose all %d or those you mean.",
		s.joined(p.Made), p.By, p.Seen, len(s.waiting))}
}

// release lets go what was proposed; the rest stays held.
func (s sitting) release(r Release) ruling {
	h := s.said(r, saidRelease)
	var released []Removal
	for _, w := range s.waiting {
		if _, named := slices.BinarySearch(r.Only, w.Notice); r.All || named {
			w.State = RemovalPassed
			released = append(released, w)
		}
	}
	h.State, h.Proposal = HoldReleased, nil
	if len(released) < len(s.waiting) {
		h.State = HoldStands
	}
	return ruling{hold: h, removals: released, kind: EventHoldReleased, next: []Job{{Kind: JobRelease, Ref: string(h.ID)}, card(h)}}
}

func (s sitting) refuse(r Release) (ruling, error) {
	if err := s.open(r); err != nil {
		return ruling{}, err
	}
	if len(r.Only) > 0 {
		return ruling{}, Refuse(ErrInvalid, "a hold is refused as a whole: release those that are right first, then refuse the rest")
	}
	if r.Reason == "" {
		return ruling{}, Refuse(ErrInvalid, "this decision needs a reason")
	}
	h := s.said(r, saidRefuse)
	h.State, h.Proposal = HoldRefused, nil
	refused := slices.Clone(s.waiting)
	for i := range refused {
		refused[i].State = RemovalRefused
	}
	return ruling{hold: h, removals: refused, kind: EventHoldRefused, next: []Job{{Kind: JobRelease, Ref: string(h.ID)}, card(h)}}, nil
}

// said returns the hold with what the person has said added.
func (s sitting) said(r Release, what string) Hold {
	h := s.hold
	h.Revision, h.UpdatedAt = h.Revision+1, s.now
	h.Decisions = append(slices.Clone(h.Decisions), HoldDecision{
		By: s.by.Person.Email(), ByID: s.by.ID, What: what, All: r.All, Only: r.Only, Reason: r.Reason, At: s.now, Via: r.Via,
	})
	return h
}

func card(h Hold) Job { return Job{Kind: JobHold, Ref: string(h.ID)} }
