//! What is known of a resource's records before its steps change them.

use super::ResourcePlan;

impl ResourcePlan {
    /// The primary key, if the records as the API gives them have it: what tells them apart from page to page. None where
    /// a step may make it; the whole record does then.
    #[must_use]
    pub fn key_before_steps(&self) -> &[String] {
        let stays = self.load.primary_key.iter().all(|key| self.transform.keeps(key));
        if stays { &self.load.primary_key } else { &[] }
    }
}
