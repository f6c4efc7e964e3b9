"""What several evaluations share: services, judge, pictures, intervals, sheets, pages."""
