"""What is mine to read now, who holds what, and which deadlines are near?"""
