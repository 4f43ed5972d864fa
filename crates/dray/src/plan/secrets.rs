//! The credentials of a plan, also those that people write where nothing marks them: in headers, parameters and bodies.

use super::{AuthPlan, BodyPlan, JsonTemplate, ParamValue, Part, Plan, Template, Text};
use crate::secret::{Secret, is_secret_name};

impl Plan {
    /// The credentials that requests are made with, for a [`crate::secret::Scrubber`].
    #[must_use]
    pub fn secrets(&self) -> Vec<Secret> {
        let mut secrets = Vec::new();
        for (name, text) in &self.client.headers {
            named(&mut secrets, name, text);
        }
        for resource in &self.resources {
            match &resource.auth {
                AuthPlan::None => {}
                AuthPlan::Bearer { token } => secrets.push(token.clone()),
                AuthPlan::ApiKey { value, .. } => secrets.push(value.clone()),
                AuthPlan::Basic { password, .. } => secrets.push(password.clone()),
                AuthPlan::OAuth2(oauth2) => {
                    secrets.push(oauth2.client_secret.clone());
                    secrets.extend(oauth2.refresh_token.clone());
                }
            }
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
                None => {}
            }
        }
        secrets
    }
}

fn named(secrets: &mut Vec<Secret>, name: &str, text: &Text) {
    if is_secret_name(name) {
        let value = text.expose();
        secrets.push(Secret::new(value));
        // `Bearer abc`: the token alone is the secret.
        if let Some((_, token)) = value.rsplit_once(' ') {
            secrets.push(Secret::new(token));
        }
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
