// Package lifecycle is the domain of rolecall: who holds which role in
// PagerDuty, who should, and who decides. It imports nothing but the standard
// library, and of that nothing that reaches outside: no HTTP, no SQL, no files.
//
// # Words
//
// An [Identity] is a person or service as the company knows them. Its PagerDuty
// user is an [Account], which is linked, unmatched or disputed (see
// [Correlate]). An account holds an [Entitlement] through a [Grant]: a base
// role, or a role on a team. What policy grants somebody for what they are is
// their birthright (see [Policy.Want]).
//
// A source of truth sends a [Fact]: somebody's whole state, never a delta, or a
// part that never stands for the whole: their status alone, that their account
// there was disabled, that a whole snapshot does not have them. What a source said
// last of somebody is its [Statement]; who they are is derived from all statements
// ([Derive]), in whatever order they came. What no rule can tell is a [Case], which
// one of Security answers. What it means for access is a [Notice]: [Joiner],
// [Mover] or [Leaver]; one by which somebody may lose access is a [Removal] too,
// and more of them than are ordinary wait under a [Hold] until two of Security
// have said the same of it. A [Source] is how a feed has behaved. A [Request]
// asks for [Change]s to one account; a [Decision] is one person's [Verdict] on it:
//
//	Pending → Approved | Denied | Expired | Withdrawn
//	Approved → Holding → Applying → Done | Failed | Blocked
//
// Its time in Holding may be none, and a request may be blocked or fail before it is applied.
// What is open is withdrawn by a newer notice until it is being applied, undone by
// who may decide while it holds, and retried once it has failed.
//
// Who may decide is a [Route]: each [Approver] with what makes them one, and for
// whom they stand in. Somebody who is away has an [Absence]. What somebody asks for
// themselves is a [Wish]; it has an end, and while it runs it is an exception of the
// [Terms], the policy in force with what was granted for a time.
//
// A change is planned, applied, and verified once it was read back. What on-call
// expects of an account is a [Duty]: a level of a policy, a seat in a schedule, an
// override, an open incident ([Coverage], [Holdings]). A handover is a change that
// moves a duty to somebody else, who is chosen among the [Candidate]s. An object
// is kept as it was ([Original]) before it is written to, so that the opposite
// request can put it back (see [Request.TakesBack]).
//
// A [Snapshot] is every account at one moment, whole. A roll call compares it
// with policy ([Reconcile]); each disagreement is a [Finding]. Keeping a
// finding makes an [Exception], with a reason and an end.
//
// # Flow
//
// No step calls the next. Each is one transaction that leaves a row, a line in
// the trail ([AuditEvent]) and the [Job] that follows, so that a crash anywhere
// repeats one step; and every step may be repeated.
//
//	fact ──▶ Inbox ──▶ Registrar ──▶ Planner ──▶ card ──▶ Approvals ──▶ Provisioner ──▶ card
//	          keep it    who is it?    Brakes       bot       Decide        guard, apply,    bot
//	                     what does     Correlate                            read back
//	                     it mean?      Plan, Judge
//	                      │    ▲         │    ▲
//	              case ◀──┘    │         ▼    └── findings ◀── RollCall ◀── snapshot
//	                └─▶ Matcher┘        hold ─▶ two people       Reconcile
//
// The pure rules are functions on values ([Correlate], [PlanJoin], [PlanMove],
// [PlanContain], [PlanHandover], [Preflight], [Policy.Judge], [Request.Decide], [Reconcile]); one struct per
// flow ([Inbox], [Registrar], [Matcher], [Brakes], [Sources], [Snapshots], [PolicySwitch], [Planner],
// [Approvals], [Absences], [Timekeeper], [Provisioner], [RollCall], [Digests]) loads, decides and saves. Each declares
// the ports it uses beside it. A [Desk] answers questions, a [Directory] says
// who somebody is.
//
// A source says its whole state; its silence takes nothing from what another
// source says. For each attribute the policy's order of sources decides, then the
// newest word; for a status without an order, the strictest. An order that changes
// counts for each person from the next that is heard of them. Ended is final until
// a spell begins after it, or until the source takes it back before anything has
// come of it. Nothing but a source's own key, a pinned account and the exact
// primary address ties people together; a key that contradicts, an address that
// was given up, a second address and a guest only ever ask. Two who are found to
// be one lose nothing and keep nothing by it: what was asked of either is asked
// anew of the one. A feed that syncs everybody is observed until one of Security
// starts it, and of a roster the rows of the first: who people are counts, and
// nothing follows but findings. A feed that falls silent proves nothing.
//
// The brakes count, in a window, who would lose access: for each source and for
// all together, of the people who have an account. The first few pass as they
// come; of many at once none does before all are looked at together. A hold has no
// end but a person's word: what two let go passes, what one refuses has not
// happened, and nobody decides on a hold in which they themselves wait. What a
// person has said, and what is urgent, waits for no other; of what is urgent no
// more than is ordinary, for a feed that is broken may call everybody so. A policy
// that takes something from more people than is ordinary waits the same way, and
// the one in force is in the store, so that no restart is a way round.
//
// Who may decide is computed in one place ([Router]), for the card, the inbox, the
// reminder and the press alike: the sources that the request names, then, while
// they are fewer than have to agree, whom PagerDuty calls a manager of the team, the
// subject's manager, and Security. Nobody gets by standing in what they could not
// have themselves: not their own access, and not Security's say. What was given for
// a time ends in the role that was held before it, whatever was given meanwhile; what
// somebody else has changed since is left as it is.
//
// A finding is asked about in rounds: while it stands, whatever
// settled the last question without mending it lets the next roll call ask
// anew, except what an exception covers. What another tool reported stands until
// the role it speaks of has changed. Whatever was approved while nothing could
// be written is asked again once something can.
//
// Between two whole roll calls a glance ([RollCall.Glance]) reads again only whom
// PagerDuty's audit records name, and concludes what a roll call would of them.
// Those records also say who made what is new ([Explain]); what was made with our
// own key is ours only where a request says so. A roll call reads who answers on
// call too: a place of somebody who was deleted, and one with nobody in it, are
// findings that no button mends. That something was not told clears nothing, and
// is said. Somebody who joined is followed until they can be paged ([LastMile]).
//
// # What must hold
//
// Approved is never shown as applied before it was read back. A partial read
// concludes nothing, nor does a listing of nobody. Authority is computed at the
// click from what is stored: an owner who left meanwhile does not count, not even
// in a quorum begun before, and no one decides on their own access, under
// whatever address or account. What the approver saw is compared with PagerDuty
// before the first write; if it moved, the request is Blocked and asked again
// with only what is left. Who has chosen a successor has changed the plan: it is
// approved anew, by whoever has seen it. Who the subject is, and whether those who
// take over are still there, is looked at on every try: who left is given nothing,
// neither a role nor a duty, and who is back loses nothing. Only the newest notice about
// somebody is planned. A leaver is contained at once, reversibly; then each team's
// owner says who takes over there, and nothing that on-call rests on is taken
// before somebody has; then the account is deleted by a second decision after a
// hold, never by silence. Whoever is back before that, to the same work, is given
// back exactly what was taken. An undo is asked for and decided as any gain is;
// once it is approved nothing more comes of the notice whose effect it takes back. Nothing else that takes power
// away is automatic. An account that was disabled is contained as a leaver's is,
// and given back when it is enabled. Nobody who is here is contained because
// somebody who has left was given their account or their address.
// The account owner and protected addresses are never touched, by any road. In
// observe mode nothing is ever written to PagerDuty.
package lifecycle
