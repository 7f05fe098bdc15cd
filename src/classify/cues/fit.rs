//! Finding the weights: from comments that people have labelled to a list of cues.
//!
//! For each category a linear support-vector machine with squared hinge loss is trained by dual
//! coordinate descent (Hsieh and others, *A dual coordinate descent method for large-scale linear
//! SVM*, ICML 2008): no step sizes to choose, the same answer every time. A cue that few samples have may
//! weigh more for the same cost than one that stands everywhere. The thresholds come from
//! sums that each comment was given by weights learnt *without* its author, so that they hold for
//! people whose manner has not been seen.

use std::collections::HashMap;

use crate::classify::cues::table::{LANES, Row};

/// One labelled stretch of text.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Its cues, by name, each once.
    pub cues: Vec<String>,
    /// For each category: whether it must be found, or nothing where that is not known.
    pub found: [Option<bool>; LANES],
    /// Who wrote it: comments of one author are left out together.
    pub author: u32,
    /// What an error on it costs against one on another, above zero.
    pub weight: f64,
}

/// How to train.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// What an error costs against a large weight.
    pub cost: f64,
    /// In how many samples a cue must stand.
    pub fewest: u32,
    /// How many times to go through all samples.
    pub rounds: usize,
    /// How many groups of authors are left out in turn for the thresholds.
    pub folds: u32,
    /// Weights below this are dropped, in hundredths.
    pub least: i16,
}

impl Default for Settings {
    fn default() -> Self {
        Self { cost: 0.04, fewest: 2, rounds: 40, folds: 5, least: 2 }
    }
}

/// What was learnt.
#[derive(Clone, Debug)]
pub struct Fitted {
    /// Cues with their weights in hundredths, by name.
    pub rows: Vec<(String, Row)>,
    /// What each category starts from, in hundredths.
    pub starts: [i32; LANES],
    /// For each sample the sums that weights learnt without its author give, in hundredths.
    pub unseen: Vec<[i32; LANES]>,
}

/// The scale of weights in the list.
const SCALE: f64 = 100.0;

/// Learns weights from the samples.
pub fn fit(samples: &[Sample], settings: &Settings) -> Fitted {
    let Numbered { names, features, ease } = number(samples, settings.fewest);
    let all: Vec<usize> = (0..samples.len()).collect();
    let mut rows = vec![[0; LANES]; names.len()];
    let mut starts = [0; LANES];
    let mut unseen = vec![[0; LANES]; samples.len()];
    for lane in 0..LANES {
        let task = Task { samples, features: &features, ease: &ease, lane, settings };
        let model = task.train(&all);
        starts[lane] = scaled(model.start);
        for (row, weight) in rows.iter_mut().zip(&model.weights) {
            let weight = small(scaled(*weight));
            row[lane] = if weight.abs() < settings.least { 0 } else { weight };
        }
        for fold in 0..settings.folds {
            let (left_out, kept): (Vec<usize>, Vec<usize>) =
                all.iter().partition(|i| samples[**i].author % settings.folds == fold);
            let model = task.train(&kept);
            for i in left_out {
                unseen[i][lane] = scaled(model.sum(&features[i]));
            }
        }
    }
    let rows = names.into_iter().zip(rows).filter(|(_, row)| row.iter().any(|w| *w != 0)).collect();
    Fitted { rows, starts, unseen }
}

/// A sum or weight as the list can hold it.
pub fn small(weight: i32) -> i16 {
    weight.clamp(-i32::from(i16::MAX), i32::from(i16::MAX)) as i16
}

fn scaled(weight: f64) -> i32 {
    // Weights are a few units at most; the cast saturates.
    (weight * SCALE).round() as i32
}

/// The cues that stand in enough samples, by number in the order of names.
struct Numbered {
    names: Vec<String>,
    /// Those of each sample.
    features: Vec<Vec<u32>>,
    /// How easily each takes on weight, one being the mean: the square of its inverse document frequency.
    ease: Vec<f64>,
}

/// Gives every cue that stands in enough samples a number.
fn number(samples: &[Sample], fewest: u32) -> Numbered {
    let mut counts: HashMap<&str, u32> = HashMap::new();
    for cue in samples.iter().flat_map(|s| &s.cues) {
        *counts.entry(cue).or_default() += 1;
    }
    let mut names: Vec<&str> =
        counts.iter().filter(|(_, n)| **n >= fewest).map(|(name, _)| *name).collect();
    names.sort_unstable();
    let numbers: HashMap<&str, u32> = names.iter().copied().zip(0..).collect();
    let features = samples
        .iter()
        .map(|s| s.cues.iter().filter_map(|c| numbers.get(c.as_str()).copied()).collect())
        .collect();
    let rare = |name: &&str| (samples.len() as f64 / f64::from(counts[name] + 1)).ln().max(0.0);
    let mean = names.iter().map(rare).sum::<f64>() / names.len().max(1) as f64;
    let ease = names.iter().map(|name| if mean > 0.0 { (rare(name) / mean).powi(2) } else { 1.0 });
    let ease = ease.collect();
    Numbered { names: names.into_iter().map(str::to_owned).collect(), features, ease }
}

/// Weights for one category.
struct Model {
    weights: Vec<f64>,
    start: f64,
}

impl Model {
    fn sum(&self, features: &[u32]) -> f64 {
        self.start + features.iter().map(|f| self.weights[*f as usize]).sum::<f64>()
    }
}

/// One category's training.
struct Task<'a> {
    samples: &'a [Sample],
    features: &'a [Vec<u32>],
    ease: &'a [f64],
    lane: usize,
    settings: &'a Settings,
}

impl Task<'_> {
    fn train(&self, of: &[usize]) -> Model {
        let known: Vec<(usize, f64)> = of
            .iter()
            .filter_map(|i| {
                self.samples[*i].found[self.lane].map(|yes| (*i, if yes { 1.0 } else { -1.0 }))
            })
            .collect();
        let mut model = Model { weights: vec![0.0; self.ease.len()], start: 0.0 };
        if !known.iter().any(|(_, y)| *y > 0.0) {
            model.start = -1.0;
            return model;
        }
        // With squared hinge loss each dual variable has its own diagonal and no upper bound.
        let diagonal = |i: usize| 0.5 / (self.settings.cost * self.samples[i].weight);
        let mut alpha = vec![0.0_f64; known.len()];
        let mut order: Vec<usize> = (0..known.len()).collect();
        let mut random = Shuffle(0x2545_F491_4F6C_DD1D);
        for _ in 0..self.settings.rounds {
            random.shuffle(&mut order);
            for k in &order {
                let (i, y) = known[*k];
                let features = &self.features[i];
                let diagonal = diagonal(i);
                let gradient = y * model.sum(features) - 1.0 + diagonal * alpha[*k];
                if alpha[*k] == 0.0 && gradient >= 0.0 {
                    continue;
                }
                // The start takes on weight as a cue of the mean does.
                let ease: f64 = features.iter().map(|f| self.ease[*f as usize]).sum();
                let norm = ease + 1.0 + diagonal;
                let next = (alpha[*k] - gradient / norm).max(0.0);
                let step = (next - alpha[*k]) * y;
                alpha[*k] = next;
                for f in features {
                    model.weights[*f as usize] += step * self.ease[*f as usize];
                }
                model.start += step;
            }
        }
        model
    }
}

/// A generator of its own, so that the order is the same on every machine (xorshift64*).
struct Shuffle(u64);

impl Shuffle {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn shuffle(&mut self, order: &mut [usize]) {
        for i in (1..order.len()).rev() {
            let j = (self.next() >> 33) as usize % (i + 1);
            order.swap(i, j);
        }
    }
}
