//! Plots, as SVG.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// One bar of a chart.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bar {
    /// Whose it is.
    pub(crate) label: String,
    /// Its parts, from left to right: the proxy, and the services that it asks.
    pub(crate) parts: Vec<f64>,
    /// The least and the greatest that was measured.
    pub(crate) spread: (f64, f64),
    /// It is the project's own.
    pub(crate) is_ours: bool,
}

const OURS: RGBColor = RGBColor(0x1b, 0x7f, 0x5c);
const OTHERS: RGBColor = RGBColor(0x7a, 0x8a, 0x99);
const SERVICES: RGBColor = RGBColor(0xc9, 0xd2, 0xda);
const INK: RGBColor = RGBColor(0x22, 0x2b, 0x33);
const RULE: RGBColor = RGBColor(0xdd, 0xdd, 0xdd);

const WIDTH: i32 = 860;
const ROW: i32 = 30;
const TOP: i32 = 56;
const LABELS: i32 = 290;
const RIGHT: i32 = 90;

/// Bars under each other, with figures behind them.
pub(crate) fn bars(title: &str, unit: &str, bars: &[Bar]) -> String {
    let height = TOP + ROW * bars.len() as i32 + 20;
    draw(height, |area| {
        text(area, title, (16, 14), 18, HPos::Left)?;
        let longest = bars
            .iter()
            .map(|bar| bar.spread.1.max(bar.parts.iter().sum()));
        let longest = longest.fold(f64::MIN_POSITIVE, f64::max);
        let x = |value: f64| LABELS + (value / longest * f64::from(WIDTH - LABELS - RIGHT)) as i32;
        area.draw(&PathElement::new(
            vec![(LABELS, TOP - 8), (LABELS, height - 16)],
            RULE,
        ))?;
        for (at, bar) in bars.iter().enumerate() {
            let (top, bottom) = (TOP + ROW * at as i32, TOP + ROW * at as i32 + ROW - 10);
            let middle = i32::midpoint(top, bottom);
            text(area, &bar.label, (LABELS - 10, middle - 7), 14, HPos::Right)?;
            let first = if bar.is_ours { OURS } else { OTHERS };
            let mut from = 0.0;
            for (part, colour) in bar.parts.iter().zip([first, SERVICES]) {
                let corners = [(x(from), top), (x(from + part), bottom)];
                area.draw(&Rectangle::new(corners, colour.filled()))?;
                from += part;
            }
            let (least, most) = (x(bar.spread.0), x(bar.spread.1));
            area.draw(&PathElement::new(
                vec![(least, middle), (most, middle)],
                INK,
            ))?;
            let figure = format!("{} {unit}", short(from));
            text(
                area,
                &figure,
                (x(from).max(most) + 8, middle - 7),
                14,
                HPos::Left,
            )?;
        }
        Ok(())
    })
}

type Drawn = Result<(), Box<dyn std::error::Error>>;

fn draw(height: i32, draw: impl FnOnce(&Area<'_>) -> Drawn) -> String {
    let mut svg = String::new();
    {
        let size = (WIDTH as u32, height as u32);
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        area.fill(&WHITE).expect("a background");
        draw(&area).expect("a plot");
        area.present().expect("a plot");
    }
    svg
}

fn text(area: &Area<'_>, text: &str, at: (i32, i32), size: i32, side: HPos) -> Drawn {
    let style = ("sans-serif", size).into_font().color(&INK);
    let style = style.pos(Pos::new(side, VPos::Top));
    area.draw_text(text, &style, at)?;
    Ok(())
}

/// Three digits at most behind which nobody looks.
fn short(value: f64) -> String {
    match value {
        value if value < 100.0 => format!("{value:.1}"),
        value => format!("{value:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_says_whose_it_is_and_how_long() {
        let bar = Bar {
            label: "Envoy <bare>".to_owned(),
            parts: vec![10.0, 5.0],
            spread: (14.0, 16.0),
            is_ours: true,
        };
        let svg = bars("CPU", "µs", &[bar]);
        assert!(
            svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"),
            "{svg}"
        );
        assert!(svg.contains("Envoy &lt;bare&gt;"), "{svg}");
        assert!(svg.contains("15.0 µs"), "{svg}");
        // The background, and one for each part.
        assert_eq!(svg.matches("<rect").count(), 3, "{svg}");
    }
}
