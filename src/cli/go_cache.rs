//! What `gb run` does for a Go cache of the caller's, and `gb env` says of it.

use std::path::Path;

use crate::environment::Environment;
use crate::error::tell;
use crate::go_cache::{Build, Facts, Plan, fill, plan};
use crate::toolchain::{Programs, Request};

/// Whether the cache is filled for this target. Looks at it as whoever runs this.
pub(super) fn planned(request: &Request, environment: &Environment, wanted: bool) -> Plan {
    let Request::Linux { target, .. } = request else { return Plan::Nothing };
    let variable = target.platform.variable.as_ref();
    let variant = variable.filter(|variable| {
        request.variant(environment).is_some_and(|variant| variant.value() != variable.default)
    });
    let build = Build {
        goarch: target.platform.goarch,
        variant: variant.map(|variable| variable.name),
        go: &|| Programs::new(environment).locate(Path::new("go")),
    };
    plan(&Facts::gather(&build, environment), wanted)
}

/// Fills it. A build works without, so that it failed is told and no more; and that the user may not write there has been told.
pub(super) fn fill_for(request: &Request, environment: &Environment) {
    let Plan::Fill(filling, _) = planned(request, environment, true) else { return };
    match fill(&filling) {
        Err(error) if !error.is_denied() => {
            tell(format!("fill GOCACHE {} from the image's: {error} (GB_GO_CACHE=0)", filling.own.display()));
        }
        _ => {}
    }
}
