package tenant

// Loaded returns how many snapshots are cached.
func (r *Resolver) Loaded() int { return r.tenants.EstimatedSize() }

// Clean makes the caches do now what they do in the background.
func (r *Resolver) Clean() { r.tenants.CleanUp() }

// Len returns how many entries the journal has.
func (j *Journal) Len() int {
	n := len(j.grants) + len(j.tokens)
	for _, rs := range j.subjects {
		n += len(rs)
	}
	return n
}
