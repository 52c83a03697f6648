#pragma once

#include "gui/look/card.h"
#include "gui/plots/plot_widget.h"

namespace relay::gui {

/// A large live number with its last ten minutes.
class StatCard : public Card
{
    Q_OBJECT

public:
    StatCard(const QString &title, PlotWidget *plot, QWidget *parent = nullptr);

    /// `detail`: a small text beside the title.
    void setValue(const QString &value, const QString &detail);
    [[nodiscard]] QString value() const { return m_value->text(); }
    [[nodiscard]] PlotWidget &plot() { return *m_plot; }

private:
    QLabel *m_value;
    QLabel *m_detail;
    PlotWidget *m_plot;
};

} // namespace relay::gui
