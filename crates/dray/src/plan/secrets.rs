//! The credentials of a plan, also those that people write where nothing marks them: in headers, parameters and bodies.

use percent_encoding::percent_decode_str;
use url::Url;

use super::{AuthPlan, BodyPlan, JsonTemplate, ParamValue, Part, Plan, Template, Text, TokenBody};
use crate::secret::{Secret, is_secret_name};

impl Plan {
    /// The credentials that requests are made with, for a [`crate::secret::Scrubber`].
    #[must_use]
    pub fn secrets(&self) -> Vec<Secret> {
        let mut secrets = Vec::new();
        user_part(&mut secrets, &self.client.base_url);
        for (name, text) in &self.client.headers {
            named(&mut secrets, name, text);
        }
        for resource in &self.resources {
            resource.auth.each().for_each(|auth| credentials(&mut secrets, auth));
            for (name, value) in &resource.request.headers {
                template(&mut secrets, name, value);
            }
            for (name, value) in &resource.request.params {
                let values = match value {
                    ParamValue::One(value) => std::slice::from_ref(value),
                    ParamValue::Many(values) => values,
                };
                values.iter().for_each(|value| template(&mut secrets, &name.shown(), value));
            }
            match &resource.request.body {
                Some(BodyPlan::Json(json)) => body(&mut secrets, "", json),
                Some(BodyPlan::Form(form)) => {
                    form.iter().for_each(|(name, value)| template(&mut secrets, name, value));
                }
                Some(BodyPlan::Text(text)) => template(&mut secrets, "", text),
                None => {}
            }
        }
        secrets
    }
}

fn credentials(secrets: &mut Vec<Secret>, auth: &AuthPlan) {
    match auth {
        // One of several is never several itself.
        AuthPlan::None | AuthPlan::Several(_) => {}
        AuthPlan::Bearer { token } => secrets.push(token.clone()),
        AuthPlan::ApiKey { value, .. } => whole_and_token(secrets, value.expose()),
        AuthPlan::Basic { username, password } => {
            named(secrets, "username", username);
            secrets.push(password.clone());
        }
        AuthPlan::Token(token) => {
            let request = &token.request;
            user_part(secrets, &request.url);
            if let Some((id, secret)) = &request.basic {
                named(secrets, "client_id", id);
                secrets.push(secret.clone());
            }
            secrets.extend(token.refresh.as_ref().map(|refresh| refresh.first.clone()));
            request.headers.iter().for_each(|(name, text)| named(secrets, name, text));
            match &request.body {
                TokenBody::Empty => {}
                TokenBody::Form(fields) => fields.iter().for_each(|(name, text)| named(secrets, name, text)),
                TokenBody::Json(json) => body(secrets, "", json),
            }
        }
    }
}

/// What a name gives away, or the file marks as a secret.
fn named(secrets: &mut Vec<Secret>, name: &str, text: &Text) {
    if is_secret_name(name) || matches!(text, Text::Secret(_)) {
        whole_and_token(secrets, text.expose());
    }
}

/// `Bearer abc`: the token alone is a secret too.
fn whole_and_token(secrets: &mut Vec<Secret>, value: &str) {
    secrets.push(Secret::new(value));
    if let Some((_, token)) = value.rsplit_once(' ') {
        secrets.push(Secret::new(token));
    }
}

/// The password of a URL, as it is written there and as it is meant.
fn user_part(secrets: &mut Vec<Secret>, url: &Url) {
    if let Some(password) = url.password() {
        secrets.push(Secret::new(password));
        secrets.push(Secret::new(percent_decode_str(password).decode_utf8_lossy().as_ref()));
    }
}

fn template(secrets: &mut Vec<Secret>, name: &str, value: &Template) {
    for part in &value.parts {
        if let Part::Text(text) = part {
            named(secrets, name, text);
        }
    }
}

fn body(secrets: &mut Vec<Secret>, name: &str, json: &JsonTemplate) {
    match json {
        JsonTemplate::Literal(_) => {}
        JsonTemplate::Text(value) => template(secrets, name, value),
        JsonTemplate::List(items) => items.iter().for_each(|item| body(secrets, name, item)),
        JsonTemplate::Map(entries) => entries.iter().for_each(|(name, value)| body(secrets, name, value)),
    }
}
