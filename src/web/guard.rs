//! Guards around every page (to come).
