// Package storagetest proves a store: whatever passes Run and RunContention keeps the contract of
// package storage, and what does not is not a store.
//
// Run works through one handle, RunContention through two handles on one database with goroutines
// that really collide. How a store fails when its database does not answer is for its own tests.
package storagetest

import (
	"testing"

	"dowel/engine/fault"
	"dowel/engine/storage"
)

// Run tests everything a store promises to one caller. Each call of open must return an empty store;
// the suite closes it.
func Run(t *testing.T, open func(t *testing.T) storage.Store) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, storage.Store)
	}{
		{"EveryFieldComesBack", testRoundTrip},
		{"TimesAreUTCToTheMillisecond", testTimes},
		{"RecordsAreCopies", testCopies},
		{"EmptyRecordsComeBack", testEmpty},
		{"WhatIsNotThereIsNotFound", testNotFound},
		{"WhatIsThereConflicts", testConflict},
		{"TenantsDoNotSeeEachOther", testTenants},
		{"ListsArePagedAndFiltered", testConnectionList},
		{"ConnectionsAreCounted", testConnectionCount},
		{"RecordsAreListedInOrder", testListOrder},
		{"UpdateCallsAgainWhenItLost", testUpdateAgain},
		{"UpdateReturnsTheErrorOfChange", testUpdateError},
		{"UpdateKeepsTheIdentityOfARecord", testUpdateIdentity},
		{"LeaseIsHeldByOne", testLease},
		{"LeaseCarriesTheAttempt", testLeaseWithAttempt},
		{"LeaseOfWhatMovedIsRefused", testLeaseOfWhatMoved},
		{"LeaseThatRanOutCanBeTaken", testLeaseRunsOut},
		{"LeaseThatRanOutMayStillWrite", testLateWrite},
		{"FenceKeepsOldLeasesOut", testFence},
		{"UpdateCanNotChangeALease", testLeaseUntouched},
		{"UpdateDoesNotWriteAnOldLeaseBack", testLeaseInterleaved},
		{"RaisedFenceBeatsALeaseTakenMeanwhile", testRaiseInterleaved},
		{"LeasedUpdateCallsAgainWhenItLost", testLeasedAgain},
		{"DueConnectionsAreTheOldestFirst", testDue},
		{"DueConnectionsAreFair", testDueFair},
		{"OutboxAndStateAreOneWrite", testOutboxWithState},
		{"OutboxIsClaimedByOne", testOutboxClaim},
		{"OutboxOfEveryRecordIsClaimed", testOutboxEverywhere},
		{"ClearedEventsStayCleared", testOutboxInterleaved},
		{"EventsOutliveTheirRecord", testDeleteKeepsEvents},
		{"LogIsAppendedOnce", testLog},
		{"LogIsPagedAndFiltered", testLogPages},
		{"FlowIsTakenOnce", testTakeFlow},
		{"FlowIsReadByItsState", testFlowByState},
		{"FlowThatExpiredIsNotFound", testExpiredFlow},
		{"SweepsLeaveWhatIsNeeded", testSweeps},
		{"SessionLinkIsTakenOnce", testTakeSession},
		{"ConnectSessionIsFoundByItsIDInItsTenant", testConnectSessionByRef},
		{"KeysetIsCreatedOnce", testKeyset},
		{"KeysetIsReplacedOnce", testKeysetReplaced},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, closed(t, open(t))) })
	}
}

// RunContention tests what a store promises to several processes: open returns two handles on one
// empty database.
func RunContention(t *testing.T, open func(t *testing.T) (a, b storage.Store)) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, a, b storage.Store)
	}{
		{"OneLeaseAtATime", testLeaseContention},
		{"NoUpdateIsLost", testIncrements},
		{"StolenLeaseCanNotWrite", testStolenLease},
		{"EventsAreNeitherLostNorDoubled", testOutboxContention},
		{"DeletedConnectionLosesNoEvent", testDeleteContention},
		{"OneFlowIsTaken", testTakeContention},
		{"OneKeysetIsCreated", testKeysetContention},
	} {
		t.Run(test.name, func(t *testing.T) {
			a, b := open(t)
			test.run(t, closed(t, a), closed(t, b))
		})
	}
}

func closed(t *testing.T, s storage.Store) storage.Store {
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	return s
}

// must ends the test when preparing it did not succeed.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantKind checks the kind of an error.
func wantKind(t *testing.T, what string, err error, want fault.Kind) {
	t.Helper()
	if got := fault.KindOf(err); got != want {
		t.Errorf("%s: error %v of kind %v, want kind %v", what, err, got, want)
	}
}
