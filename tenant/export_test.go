package tenant

// Loaded returns how many snapshots are cached.
func (r *Resolver) Loaded() int { return r.tenants.EstimatedSize() }

// Clean makes the caches do now what they do in the background.
func (r *Resolver) Clean() { r.tenants.CleanUp() }
