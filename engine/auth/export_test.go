package auth

import "time"

// Age makes everything that ds keeps older.
func Age(ds *Documents, by time.Duration) {
	ds.mu.Lock()
	defer ds.mu.Unlock()
	for k, d := range ds.kept {
		d.at = d.at.Add(-by)
		ds.kept[k] = d
	}
}
