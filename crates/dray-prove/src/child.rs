//! A run in a process of its own, which may be killed.

use std::ffi::OsString;

use dray::secret::Secret;

use crate::credentials::repeated;

/// `dray-prove dray …`: the command line of dray as it is.
#[must_use]
pub fn dray(arguments: Vec<OsString>) -> u8 {
    dray_cli::run(std::iter::once(OsString::from("dray")).chain(arguments))
}

/// `dray-prove panic SECRET…`: panics as dray would, in a thread and outside of one, with the secrets in the message.
#[must_use]
#[expect(clippy::panic, reason = "what is proved is how a panic is told")]
pub fn panic(arguments: &[OsString]) -> u8 {
    let secrets: Vec<Secret> =
        arguments.iter().map(|argument| Secret::new(argument.to_string_lossy().into_owned())).collect();
    dray_cli::guarded(&secrets, || {
        let all: String = secrets.iter().map(|secret| repeated(secret.expose())).collect();
        let message = format!("{all} {:?}", secrets.iter().map(Secret::expose).collect::<Vec<_>>());
        let own = message.clone();
        if std::thread::spawn(move || panic!("{own}")).join().is_ok() {
            return 0;
        }
        panic!("{message}")
    })
}
